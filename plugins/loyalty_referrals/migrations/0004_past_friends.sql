-- What a friend who was rewarded, and then erased, was seen with: hashes of hashes under the one who
-- brought them, for a time, and nothing about the friend. A friend who is erased and enrols again is
-- compared with them as with any other friend of the same referrer.
create table loyalty.referral_past (
  tenant_id uuid not null,
  program_id uuid not null,
  referrer_id uuid not null,
  kind text not null,
  hash text not null,
  until timestamptz not null,
  foreign key (tenant_id, referrer_id) references loyalty.member,
  foreign key (tenant_id, program_id) references loyalty.program);
create index referral_past_until on loyalty.referral_past (tenant_id, program_id, until);
alter table loyalty.referral_past
  add primary key (tenant_id, program_id, referrer_id, kind, hash);

call loyalty.protect('referral_past');
grant select, insert, update, delete on loyalty.referral_past to loyalty_app, loyalty_worker;
grant select on loyalty.referral_past to loyalty_audit;
