-- Admins look through a program's subscriptions, mostly through those that are past due. The table has
-- a row for each subscriber and grows with no purchase: its indexes are made in a moment. Who has
-- millions of them makes both beforehand, concurrently.

-- squawk-ignore require-concurrent-index-creation
create index if not exists subscription_by_status on loyalty.subscription
  (tenant_id, program_id, status, started_at, member_id, provider, reference);
-- squawk-ignore require-concurrent-index-creation
create index if not exists subscription_by_start on loyalty.subscription
  (tenant_id, program_id, started_at, member_id, provider, reference);
