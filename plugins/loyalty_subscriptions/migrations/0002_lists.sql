-- Admins look through a program's subscriptions, mostly through those that are past due.
create index subscription_by_status on loyalty.subscription
  (tenant_id, program_id, status, started_at, member_id, provider, reference);
create index subscription_by_start on loyalty.subscription
  (tenant_id, program_id, started_at, member_id, provider, reference);
