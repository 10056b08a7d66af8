-- Subscriptions of members as they are known; what was is told by their facts. What follows at an
-- instant (the status) is worked out; `status` is what was last told, `due_at` when time alone
-- changes something next.
create table loyalty.subscription (
  tenant_id uuid not null,
  member_id uuid not null,
  program_id uuid not null,
  provider text not null,
  reference text not null,
  plan text not null,
  started_at timestamptz not null,
  anchor timestamptz not null,
  as_of timestamptz not null,
  trial_until timestamptz,
  paid_until timestamptz,
  paid_from timestamptz,
  paid_amount bigint not null check (paid_amount >= 0),
  paid_in text not null,
  paid_invoice text not null,
  paid_back bigint not null check (paid_back >= 0),
  next_plan text,
  unpaid_until timestamptz,
  unpaid_since timestamptz,
  attempts integer not null check (attempts >= 0),
  cancelled_at timestamptz,
  closed_at timestamptz,
  paused_at timestamptz,
  ended_at timestamptz,
  plan_told text not null,
  will_told text not null,
  welcomed boolean not null,
  status text not null,
  due_at timestamptz,
  foreign key (tenant_id, member_id) references loyalty.member,
  foreign key (tenant_id, program_id) references loyalty.program);
create index subscription_due on loyalty.subscription (tenant_id, program_id, due_at)
  where due_at is not null;
alter table loyalty.subscription
  add primary key (tenant_id, member_id, program_id, provider, reference);

-- Fees that were paid, each once by the provider's own id of its invoice. `paid_at` null: it is
-- known only that it was given back, which may be told first.
create table loyalty.subscription_payment (
  tenant_id uuid not null,
  program_id uuid not null,
  provider text not null,
  invoice text not null,
  member_id uuid not null,
  fact_id uuid not null,
  reference text not null,
  plan text not null,
  amount bigint not null check (amount >= 0),
  paid_in text not null,
  starts_at timestamptz,
  ends_at timestamptz,
  paid_at timestamptz,
  refunded bigint not null check (refunded >= 0),
  foreign key (tenant_id, member_id) references loyalty.member,
  foreign key (tenant_id, program_id) references loyalty.program);
create index subscription_payment_of on loyalty.subscription_payment
  (tenant_id, member_id, program_id, paid_at);
alter table loyalty.subscription_payment
  add primary key (tenant_id, program_id, provider, invoice);

call loyalty.protect('subscription');
call loyalty.protect('subscription_payment');

grant select, insert, update on loyalty.subscription, loyalty.subscription_payment
  to loyalty_app, loyalty_worker;
grant select on loyalty.subscription, loyalty.subscription_payment to loyalty_audit;
