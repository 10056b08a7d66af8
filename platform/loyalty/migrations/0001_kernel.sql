-- The kernel's tables. Each leads its keys with tenant_id; amounts are bigint minor units.
-- Rule for young tables: the PRIMARY KEY is created after the other unique indexes. Plans of
-- foreign-key checks are cached; made on an empty table they walk the unique index created last.

create function loyalty.tenant() returns uuid language plpgsql stable parallel safe as $$
declare v text := current_setting('app.tenant', true);
begin
  -- Silence would look like an empty table: a forgotten tenant must be loud.
  if v is null or v = '' then
    raise exception 'no tenant is set in this transaction' using errcode = '42501';
  end if;
  return v::uuid;
end $$;
grant execute on function loyalty.tenant() to public;

-- Row security for a tenant table, the same for all: enabled, forced, one policy, named roles. The
-- function stands in a sub-select so that it is called once per statement and not once per row.
create procedure loyalty.protect(_table text) language plpgsql as $$
begin
  execute format('alter table loyalty.%I enable row level security, force row level security', _table);
  execute format('create policy tenant_isolation on loyalty.%I for all
    to loyalty_app, loyalty_worker, loyalty_audit, loyalty_ledger
    using (tenant_id = (select loyalty.tenant())) with check (tenant_id = (select loyalty.tenant()))',
    _table);
  -- A young table has no statistics, and the planner would take the tenant alone for a good key. A
  -- plan that walks all rows of the tenant is kept while it grows. Until the first ANALYZE: one
  -- tenant, in every row.
  perform pg_restore_attribute_stats('schemaname', 'loyalty', 'relname', _table,
    'attname', 'tenant_id', 'inherited', false, 'null_frac', 0::real, 'avg_width', 16,
    'n_distinct', 1::real);
end $$;

-- One row: which database this is. It changes when a backup is restored, so that nothing kept
-- outside (a cached balance) from before is ever believed.
create table loyalty.installation (
  only_row boolean primary key default true check (only_row),
  epoch uuid not null default gen_random_uuid(),
  created_at timestamptz not null default clock_timestamp());
insert into loyalty.installation default values;
grant select on loyalty.installation to loyalty_app, loyalty_worker, loyalty_audit;

create table loyalty.tenant (
  tenant_id uuid not null,
  slug text not null check (slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  name text not null,
  zone text not null,
  status text not null default 'ACTIVE' check (status in ('ACTIVE', 'SUSPENDED')),
  epoch bigint not null default 1,
  currencies text[] not null default '{}',
  total_tolerance bigint not null default 0 check (total_tolerance >= 0),
  backdating interval not null default '30 days',
  ahead interval not null default '5 minutes',
  parking interval not null default '7 days',
  enroll_on_purchase boolean not null default false,
  created_at timestamptz not null);
create unique index tenant_slug on loyalty.tenant (slug);  -- operators name tenants by it
alter table loyalty.tenant add primary key (tenant_id);

create table loyalty.member (
  tenant_id uuid not null,
  id uuid not null,
  external_id text not null check (length(external_id) between 1 and 200),
  status text not null default 'ACTIVE' check (status in ('ACTIVE', 'CLOSED')),
  attributes jsonb not null default '{}',
  version bigint not null default 1,
  enrolled_at timestamptz not null,
  closed_at timestamptz,
  constraint member_external_id unique (tenant_id, external_id));
alter table loyalty.member add primary key (tenant_id, id);

create table loyalty.member_identifier (
  tenant_id uuid not null,
  value text not null check (length(value) between 1 and 200),
  member_id uuid not null,
  foreign key (tenant_id, member_id) references loyalty.member);
create index member_identifier_member on loyalty.member_identifier (tenant_id, member_id);
alter table loyalty.member_identifier
  add constraint member_identifier_value primary key (tenant_id, value);

-- Stored accounts (members') carry their balance. The others (program, tenant) are the sum of
-- their postings: a stored balance there would be one hot row for everybody.
create table loyalty.account (
  tenant_id uuid not null,
  id uuid not null,
  owner_kind text not null check (owner_kind in ('MEMBER', 'PROGRAM', 'TENANT')),
  owner_id uuid not null,
  unit text not null,
  kind text not null,
  stored boolean not null,
  balance bigint not null default 0,
  deficit bigint not null default 0,
  version bigint not null default 0,
  unique (tenant_id, owner_kind, owner_id, unit, kind),
  constraint account_not_negative check (balance >= 0 and deficit >= 0),
  constraint account_owes_or_holds check (deficit = 0 or balance = 0)) with (fillfactor = 75);
create index account_owner on loyalty.account (tenant_id, owner_id) where stored;
alter table loyalty.account add primary key (tenant_id, id);

create table loyalty.fact (
  tenant_id uuid not null,
  id uuid not null,
  kind text not null,
  scope text not null,
  key text not null,
  member_id uuid,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  epoch bigint not null,
  cause_id uuid,
  hop smallint not null default 0 check (hop between 0 and 8),
  actor text not null,
  request_id text not null,
  payload jsonb not null,
  answer jsonb not null,
  constraint fact_key unique (tenant_id, scope, key));
create index fact_member on loyalty.fact (tenant_id, member_id, id);
create index fact_cause on loyalty.fact (tenant_id, cause_id) where cause_id is not null;
alter table loyalty.fact add primary key (tenant_id, id);

-- Idempotency keys of commands, per client; kept for 30 days. Natural keys of facts live for ever
-- in fact_key above.
create table loyalty.command_key (
  tenant_id uuid not null,
  client text not null,
  key text not null,
  fact_id uuid not null,
  kind text not null,
  member_id uuid,
  input jsonb not null,
  answer jsonb not null,
  created_at timestamptz not null);
create index command_key_age on loyalty.command_key (tenant_id, created_at);
alter table loyalty.command_key add primary key (tenant_id, client, key);

create table loyalty.decision (
  tenant_id uuid not null,
  fact_id uuid not null,
  body jsonb not null,
  primary key (tenant_id, fact_id));

create table loyalty.posting (
  tenant_id uuid not null,
  fact_id uuid not null,
  seq smallint not null,
  unit text not null,
  from_id uuid not null,
  to_id uuid not null,
  amount bigint not null check (amount > 0),
  uncovered bigint not null default 0 check (uncovered between 0 and amount),
  from_version bigint,
  to_version bigint,
  from_balance bigint,
  to_balance bigint,
  kind text not null,
  program_id uuid,
  rule text,
  label text,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  check (from_id <> to_id),
  foreign key (tenant_id, from_id) references loyalty.account,
  foreign key (tenant_id, to_id) references loyalty.account);
create unique index posting_from on loyalty.posting (tenant_id, from_id, from_version)
  where from_version is not null;
create unique index posting_to on loyalty.posting (tenant_id, to_id, to_version)
  where to_version is not null;
alter table loyalty.posting add primary key (tenant_id, fact_id, seq);

create table loyalty.lot (
  tenant_id uuid not null,
  account_id uuid not null,
  id uuid not null,
  fact_id uuid not null,
  program_id uuid,
  rule text not null,
  accounting_class text not null,
  granted bigint not null check (granted > 0),
  remaining bigint not null,
  cost bigint,
  occurred_at timestamptz not null,
  available_at timestamptz not null,
  settles_at timestamptz,
  expires_at timestamptz,
  constraint lot_remaining check (remaining between 0 and granted),
  foreign key (tenant_id, account_id) references loyalty.account) with (fillfactor = 75);
create index lot_open on loyalty.lot (tenant_id, account_id, expires_at, occurred_at, id)
  where remaining > 0;
create index lot_due on loyalty.lot (tenant_id, expires_at)
  where remaining > 0 and expires_at is not null;
create index lot_fact on loyalty.lot (tenant_id, fact_id);
alter table loyalty.lot add primary key (tenant_id, account_id, id);

-- Which posting's fact took how much of which lot; a negative amount puts it back.
create table loyalty.lot_use (
  tenant_id uuid not null,
  account_id uuid not null,
  lot_id uuid not null,
  fact_id uuid not null,
  kind text not null check (kind in ('BURN', 'HOLD', 'EXPIRE', 'TAKE_BACK', 'REPAY', 'RESTORE')),
  amount bigint not null check (amount <> 0 and (amount < 0) = (kind = 'RESTORE')),
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  foreign key (tenant_id, account_id, lot_id) references loyalty.lot);
create index lot_use_fact on loyalty.lot_use (tenant_id, fact_id);
alter table loyalty.lot_use add primary key (tenant_id, account_id, lot_id, fact_id, kind);

-- A lot's end as it was from an instant on; the lot itself carries the newest.
create table loyalty.lot_term (
  tenant_id uuid not null,
  account_id uuid not null,
  lot_id uuid not null,
  fact_id uuid not null,
  expires_at timestamptz,
  previous timestamptz,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  foreign key (tenant_id, account_id, lot_id) references loyalty.lot);
alter table loyalty.lot_term add primary key (tenant_id, account_id, lot_id, fact_id);

create table loyalty.redemption (
  tenant_id uuid not null,
  id uuid not null,
  member_id uuid not null,
  program_id uuid not null,
  unit text not null,
  state text not null check (state in ('HELD', 'CAPTURED', 'RELEASED', 'LAPSED', 'REVERSED')),
  amount bigint not null check (amount > 0),
  captured bigint not null default 0 check (captured between 0 and amount),
  target text not null,
  order_ref text,
  hold_fact_id uuid not null,
  capture_fact_id uuid,
  held_until timestamptz,
  reversible boolean not null,
  grace interval,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  foreign key (tenant_id, member_id) references loyalty.member);
create index redemption_member on loyalty.redemption (tenant_id, member_id, id);
create index redemption_held on loyalty.redemption (tenant_id, held_until) where state = 'HELD';
alter table loyalty.redemption add primary key (tenant_id, id);

create table loyalty.trait (
  tenant_id uuid not null,
  member_id uuid not null,
  name text not null,
  fact_id uuid not null,
  value jsonb not null,
  since timestamptz not null,
  until timestamptz,
  recorded_at timestamptz not null,
  foreign key (tenant_id, member_id) references loyalty.member);
alter table loyalty.trait add primary key (tenant_id, member_id, name, since, fact_id);

-- member_id is the nil uuid for a counter of the whole tenant. The row at -infinity of such a
-- counter carries no value: it is what a batch locks before it reads the buckets.
create table loyalty.counter (
  tenant_id uuid not null,
  name text not null,
  member_id uuid not null,
  bucket timestamptz not null,
  value bigint not null);
alter table loyalty.counter add primary key (tenant_id, name, member_id, bucket);

-- Facts that follow from facts (another member's share) or fall due later; settled once, in order.
create table loyalty.due_fact (
  tenant_id uuid not null,
  id uuid not null,
  cause_id uuid not null,
  root_id uuid not null,
  hop smallint not null check (hop between 1 and 8),
  seq smallint not null,
  kind text not null,
  member_id uuid,
  payload jsonb not null,
  due_at timestamptz not null,
  state text not null default 'WAITING' check (state in ('WAITING', 'DONE', 'REFUSED', 'CANCELLED')),
  reason jsonb,
  unique (tenant_id, cause_id, seq));
create index due_fact_waiting on loyalty.due_fact (tenant_id, due_at, id) where state = 'WAITING';
create index due_fact_root on loyalty.due_fact (tenant_id, root_id);
alter table loyalty.due_fact add primary key (tenant_id, id);

-- Returns whose purchase has not arrived yet.
create table loyalty.parked_return (
  tenant_id uuid not null,
  id uuid not null,
  source text not null,
  return_id text not null,
  purchase_external_id text not null,
  state text not null check (state in ('PARKED', 'APPLIED', 'REFUSED', 'ENDED')),
  payload jsonb not null,
  occurred_at timestamptz not null,
  parked_at timestamptz not null,
  ends_at timestamptz not null,
  settled_at timestamptz,
  reason jsonb,
  actor text not null,
  constraint parked_return_key unique (tenant_id, source, return_id));
create index parked_return_purchase
  on loyalty.parked_return (tenant_id, source, purchase_external_id) where state = 'PARKED';
create index parked_return_ends on loyalty.parked_return (tenant_id, ends_at) where state = 'PARKED';
create index parked_return_state on loyalty.parked_return (tenant_id, state, id);
alter table loyalty.parked_return add primary key (tenant_id, id);

-- payload null: the row tells of its fact, which says all of it and never changes.
create table loyalty.outbox (
  tenant_id uuid not null,
  id uuid not null,
  topic text not null,
  fact_id uuid not null,
  member_id uuid,
  payload jsonb,
  state text not null default 'READY' check (state in ('READY', 'LEASED', 'DONE', 'DEAD')),
  attempts smallint not null default 0,
  ready_at timestamptz not null,
  lease_until timestamptz,
  lease_token uuid,
  recorded_at timestamptz not null);
create index outbox_ready on loyalty.outbox (tenant_id, ready_at) where state = 'READY';
create index outbox_leased on loyalty.outbox (lease_until) where state = 'LEASED';
alter table loyalty.outbox add primary key (tenant_id, id);

-- Deliveries from outside, each accepted once.
create table loyalty.inbox (
  tenant_id uuid not null,
  source text not null,
  event_id text not null,
  received_at timestamptz not null,
  outcome jsonb not null);
alter table loyalty.inbox add primary key (tenant_id, source, event_id);

-- Jobs that run piece by piece in one tenant (filling counters, releases of plugins' jobs).
create table loyalty.job (
  tenant_id uuid not null,
  name text not null,
  watermark uuid,
  due_at timestamptz not null,
  detail jsonb not null default '{}');
alter table loyalty.job add primary key (tenant_id, name);

do $$
declare t text;
begin
  foreach t in array array['tenant', 'member', 'member_identifier', 'account', 'fact',
    'command_key', 'decision', 'posting', 'lot', 'lot_use', 'lot_term', 'redemption', 'trait',
    'counter', 'due_fact', 'parked_return', 'outbox', 'inbox', 'job']
  loop
    call loyalty.protect(t);
    execute format('grant select on loyalty.%I to loyalty_app, loyalty_worker, loyalty_audit, loyalty_ledger', t);
  end loop;
end $$;

grant insert, update on loyalty.tenant to loyalty_app;
grant update (external_id, attributes, version) on loyalty.member to loyalty_app;
grant insert, delete on loyalty.member_identifier to loyalty_app;
grant insert on loyalty.inbox to loyalty_app;
grant insert, update, delete on loyalty.job to loyalty_app, loyalty_worker;
grant delete on loyalty.command_key, loyalty.outbox to loyalty_worker;
grant update (state, attempts, ready_at, lease_until, lease_token) on loyalty.outbox to loyalty_worker;
grant update (state, reason) on loyalty.due_fact to loyalty_worker;
grant update (state, settled_at, reason) on loyalty.parked_return to loyalty_worker;
grant insert, update on loyalty.counter to loyalty_worker;

-- Only the ledger role writes money. Locking a row needs a right to update it.
grant update (epoch) on loyalty.tenant to loyalty_ledger;
grant insert, update on loyalty.member to loyalty_ledger;
grant insert on loyalty.member_identifier, loyalty.fact, loyalty.command_key, loyalty.decision,
  loyalty.posting, loyalty.lot_use, loyalty.lot_term, loyalty.trait, loyalty.outbox
  to loyalty_ledger;
grant insert, update on loyalty.account, loyalty.lot, loyalty.redemption, loyalty.counter,
  loyalty.due_fact, loyalty.parked_return to loyalty_ledger;

-- What must be known before a tenant is, and which tenants have something due: narrow functions of
-- the queue role, which sees only what they need.
create policy queue_reads on loyalty.tenant for select to loyalty_queue using (true);
create policy queue_reads on loyalty.lot for select to loyalty_queue using (true);
create policy queue_reads on loyalty.redemption for select to loyalty_queue using (true);
create policy queue_reads on loyalty.due_fact for select to loyalty_queue using (true);
create policy queue_reads on loyalty.parked_return for select to loyalty_queue using (true);
create policy queue_reads on loyalty.job for select to loyalty_queue using (true);
create policy queue_reads on loyalty.outbox for select to loyalty_queue using (true);
grant select (tenant_id, slug, status) on loyalty.tenant to loyalty_queue;
grant select (tenant_id, expires_at, remaining) on loyalty.lot to loyalty_queue;
grant select (tenant_id, held_until, state) on loyalty.redemption to loyalty_queue;
grant select (tenant_id, due_at, state) on loyalty.due_fact to loyalty_queue;
grant select (tenant_id, ends_at, state) on loyalty.parked_return to loyalty_queue;
grant select (tenant_id, due_at) on loyalty.job to loyalty_queue;
grant select (tenant_id, ready_at, state) on loyalty.outbox to loyalty_queue;

create function loyalty.tenant_of_slug(_slug text) returns uuid language sql stable security definer
  set search_path = pg_catalog, pg_temp
  as $$ select t.tenant_id from loyalty.tenant t where t.slug = _slug $$;

create function loyalty.tenant_ids() returns uuid[] language sql stable security definer
  set search_path = pg_catalog, pg_temp
  as $$ select coalesce(array_agg(t.tenant_id order by t.tenant_id), '{}') from loyalty.tenant t $$;

-- Active tenants with something to do by `_now`.
create function loyalty.tenants_due(_now timestamptz) returns uuid[] language sql stable
  security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(array_agg(t.tenant_id), '{}') from loyalty.tenant t
   where t.status = 'ACTIVE' and (
     exists (select 1 from loyalty.due_fact d where d.tenant_id = t.tenant_id
              and d.state = 'WAITING' and d.due_at <= _now)
     or exists (select 1 from loyalty.lot l where l.tenant_id = t.tenant_id
              and l.remaining > 0 and l.expires_at <= _now)
     or exists (select 1 from loyalty.redemption r where r.tenant_id = t.tenant_id
              and r.state = 'HELD' and r.held_until <= _now)
     or exists (select 1 from loyalty.parked_return p where p.tenant_id = t.tenant_id
              and p.state = 'PARKED' and p.ends_at <= _now)
     or exists (select 1 from loyalty.outbox o where o.tenant_id = t.tenant_id
              and o.state = 'READY' and o.ready_at <= _now)
     or exists (select 1 from loyalty.job j where j.tenant_id = t.tenant_id and j.due_at <= _now))
$$;

revoke all on function loyalty.tenant_of_slug(text), loyalty.tenant_ids(),
  loyalty.tenants_due(timestamptz) from public;
grant execute on function loyalty.tenant_of_slug(text) to loyalty_app, loyalty_worker;
grant execute on function loyalty.tenant_ids() to loyalty_app, loyalty_worker, loyalty_audit;
grant execute on function loyalty.tenants_due(timestamptz) to loyalty_worker;
alter function loyalty.tenant_of_slug(text) owner to loyalty_queue;
alter function loyalty.tenant_ids() owner to loyalty_queue;
alter function loyalty.tenants_due(timestamptz) owner to loyalty_queue;
