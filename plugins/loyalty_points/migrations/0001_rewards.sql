-- Rewards of a ladder that members redeemed. What each was when it was redeemed stands in `terms`:
-- no later config changes it. Its state is that of the redemption with the same (hold) fact.
create table loyalty.points_reward (
  tenant_id uuid not null,
  member_id uuid not null,
  program_id uuid not null,
  fact_id uuid not null,
  reward text not null,
  order_ref text,
  redeemed_at timestamptz not null,
  terms jsonb not null,
  foreign key (tenant_id, member_id) references loyalty.member,
  foreign key (tenant_id, program_id) references loyalty.program);
alter table loyalty.points_reward add primary key (tenant_id, member_id, program_id, fact_id);

call loyalty.protect('points_reward');

grant select, insert, update on loyalty.points_reward to loyalty_app, loyalty_worker;
grant select on loyalty.points_reward to loyalty_audit;
