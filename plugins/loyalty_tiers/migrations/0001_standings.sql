-- Each member's standing on each ladder, and when it is to be looked at again. Whoever has none is
-- where everybody starts. What others know of it are traits; what became of it over time are facts.
create table loyalty.tiers_standing (
  tenant_id uuid not null,
  program_id uuid not null,
  member_id uuid not null,
  tier text,
  since timestamptz not null,
  until timestamptz,
  reason text not null,
  due_at timestamptz,
  fingerprint text not null,
  detail jsonb not null,
  foreign key (tenant_id, member_id) references loyalty.member,
  foreign key (tenant_id, program_id) references loyalty.program);
create index tiers_standing_due on loyalty.tiers_standing (tenant_id, program_id, due_at)
  where due_at is not null;
alter table loyalty.tiers_standing add primary key (tenant_id, program_id, member_id);

call loyalty.protect('tiers_standing');

grant select, insert, update on loyalty.tiers_standing to loyalty_app, loyalty_worker;
grant select on loyalty.tiers_standing to loyalty_audit;
