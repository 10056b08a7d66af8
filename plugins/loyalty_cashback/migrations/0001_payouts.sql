-- Payouts of cashback programs: money that left a member's balance by the fact `fact_id`, and what
-- became of it. The lots that it took are those of the redemption with the same (hold) fact.
create table loyalty.cashback_payout (
  tenant_id uuid not null,
  member_id uuid not null,
  program_id uuid not null,
  id uuid not null,
  fact_id uuid not null,
  way text not null check (way in ('STATEMENT', 'REQUEST')),
  day text,
  unit text not null,
  currency text not null,
  amount bigint not null check (amount > 0),
  destination text,
  state text not null default 'REQUESTED'
    check (state in ('REQUESTED', 'PAID', 'FAILED', 'RETURNED')),
  reference text,
  reason text,
  requested_at timestamptz not null,
  changed_at timestamptz not null,
  foreign key (tenant_id, member_id) references loyalty.member,
  foreign key (tenant_id, program_id) references loyalty.program);
create unique index cashback_payout_fact on loyalty.cashback_payout (tenant_id, fact_id);
create index cashback_payout_member
  on loyalty.cashback_payout (tenant_id, member_id, requested_at, id);
create index cashback_payout_program
  on loyalty.cashback_payout (tenant_id, program_id, requested_at, id);
create index cashback_payout_waiting
  on loyalty.cashback_payout (tenant_id, program_id, requested_at, id) where state = 'REQUESTED';
alter table loyalty.cashback_payout add primary key (tenant_id, id);

call loyalty.protect('cashback_payout');

grant select, insert, update on loyalty.cashback_payout to loyalty_app, loyalty_worker;
grant select on loyalty.cashback_payout to loyalty_audit;
