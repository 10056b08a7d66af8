-- The admin's daily work: reasons of corrections, the two-person rule with what waits for the second
-- person, corrections of many members at once, and what a point costs.

create table loyalty.adjustment_reason (
  tenant_id uuid not null references loyalty.tenant,
  code text not null check (code ~ '^[A-Z][A-Z0-9_]{1,39}$'),
  label text not null check (length(label) between 1 and 200),
  expires_after text check (length(expires_after) <= 20),
  expires_end text not null check (expires_end in ('exact', 'day', 'month', 'quarter', 'year')),
  created_at timestamptz not null,
  retired_at timestamptz);
alter table loyalty.adjustment_reason add primary key (tenant_id, code);

-- One row: what needs a second person, and how long it waits for one.
create table loyalty.approval_policy (
  tenant_id uuid not null references loyalty.tenant,
  publishing boolean not null,
  lifetime interval not null check (lifetime > interval '0'),
  updated_at timestamptz not null);
alter table loyalty.approval_policy add primary key (tenant_id);

create table loyalty.approval_threshold (
  tenant_id uuid not null,
  unit text not null,
  above bigint not null check (above >= 0),
  foreign key (tenant_id, unit) references loyalty.unit (tenant_id, code));
alter table loyalty.approval_threshold add primary key (tenant_id, unit);

-- `body` is what is to be done; it is done in the transaction that approves it, once.
create table loyalty.approval_request (
  tenant_id uuid not null references loyalty.tenant,
  id uuid not null,
  kind text not null check (kind in ('ADJUSTMENT', 'BULK_ADJUSTMENT', 'PUBLICATION', 'POLICY')),
  state text not null default 'WAITING'
    check (state in ('WAITING', 'APPROVED', 'REJECTED', 'WITHDRAWN', 'FAILED')),
  subject text not null,
  body jsonb not null,
  asked_by text not null,
  asked_client text not null,
  asked_at timestamptz not null,
  expires_at timestamptz not null,
  decided_by text,
  decided_client text,
  decided_at timestamptz,
  note text not null default '' check (length(note) <= 1000),
  reason jsonb,
  check ((decided_at is null) = (state = 'WAITING')),
  -- The rule itself, whatever code asks.
  constraint approval_two_persons check (state <> 'APPROVED' or decided_client <> asked_client));
create index approval_request_waiting on loyalty.approval_request (tenant_id, id)
  where state = 'WAITING';
alter table loyalty.approval_request add primary key (tenant_id, id);

-- Corrections asked for at once. Each item is a fact of its own, recorded under the key
-- (`bulk`, `<id>:<seq>`) at `effective_at`: once, however often a slice is begun anew.
create table loyalty.bulk_adjustment (
  tenant_id uuid not null references loyalty.tenant,
  id uuid not null,
  client text not null,
  key text not null,
  digest bytea not null check (octet_length(digest) = 32),
  unit text not null,
  reason_code text not null,
  label text not null,
  expires_at timestamptz,
  expires_after text,
  expires_end text not null,
  allow_deficit boolean not null,
  state text not null check (state in ('WAITING', 'RUNNING', 'DONE', 'CANCELLED')),
  approval_id uuid,
  actor text not null,
  request_id text not null,
  by_operator boolean not null,
  items integer not null check (items > 0),
  gives bigint not null check (gives >= 0),
  takes bigint not null check (takes >= 0),
  created_at timestamptz not null,
  effective_at timestamptz,
  done_at timestamptz,
  check ((effective_at is not null) = (state in ('RUNNING', 'DONE'))));
alter table loyalty.bulk_adjustment
  add constraint bulk_adjustment_key unique (tenant_id, client, key);
alter table loyalty.bulk_adjustment add primary key (tenant_id, id);

create table loyalty.bulk_adjustment_item (
  tenant_id uuid not null,
  bulk_id uuid not null,
  seq integer not null check (seq >= 0),
  named_by text not null check (named_by in ('id', 'external_id', 'identifier')),
  member text not null check (length(member) between 1 and 200),
  amount bigint not null check (amount <> 0),
  note text not null check (length(note) <= 1000),
  state text not null default 'WAITING' check (state in ('WAITING', 'DONE', 'REFUSED')),
  fact_id uuid,
  refusal jsonb,
  check ((state = 'DONE') = (fact_id is not null)),
  check ((state = 'REFUSED') = (refusal is not null)),
  foreign key (tenant_id, bulk_id) references loyalty.bulk_adjustment (tenant_id, id));
create index bulk_adjustment_item_waiting
  on loyalty.bulk_adjustment_item (tenant_id, bulk_id, seq) where state = 'WAITING';
alter table loyalty.bulk_adjustment_item add primary key (tenant_id, bulk_id, seq);

-- What one whole unit costs in money, from an instant on: of the unit, or of what one program gave.
create table loyalty.point_cost (
  tenant_id uuid not null,
  unit text not null,
  program text not null,
  since timestamptz not null,
  cost text not null check (cost ~ '^[0-9]{1,9}(\.[0-9]{1,9})?$'),
  currency text not null check (length(currency) = 3),
  recorded_at timestamptz not null,
  foreign key (tenant_id, unit) references loyalty.unit (tenant_id, code));
alter table loyalty.point_cost add primary key (tenant_id, unit, program, since);

call loyalty.protect('adjustment_reason');
call loyalty.protect('approval_policy');
call loyalty.protect('approval_threshold');
call loyalty.protect('approval_request');
call loyalty.protect('bulk_adjustment');
call loyalty.protect('bulk_adjustment_item');
call loyalty.protect('point_cost');

grant select, insert, update (label, expires_after, expires_end, retired_at)
  on loyalty.adjustment_reason to loyalty_app;
grant select, insert, update (publishing, lifetime, updated_at) on loyalty.approval_policy
  to loyalty_app;
grant select, insert, update (above), delete on loyalty.approval_threshold to loyalty_app;
grant select, insert, update (state, decided_by, decided_client, decided_at, note, reason)
  on loyalty.approval_request to loyalty_app;
grant select, insert, update (state, approval_id, effective_at, done_at) on loyalty.bulk_adjustment
  to loyalty_app;
grant select, insert, update (state, fact_id, refusal) on loyalty.bulk_adjustment_item
  to loyalty_app;
grant select, insert, update (cost, currency, recorded_at) on loyalty.point_cost to loyalty_app;

grant select, update (state, done_at) on loyalty.bulk_adjustment to loyalty_worker;
grant select, update (state, fact_id, refusal) on loyalty.bulk_adjustment_item to loyalty_worker;

grant select on loyalty.adjustment_reason, loyalty.approval_policy, loyalty.approval_threshold,
  loyalty.approval_request, loyalty.bulk_adjustment, loyalty.bulk_adjustment_item,
  loyalty.point_cost to loyalty_audit;
