-- What a referral program keeps: codes, friends with who brought them, the referrer's part in each,
-- steps of ladders, hashes that members were seen with, and how many codes were named that are none.

-- The key that a tenant's hashes are made under. Who has the hashes alone can try nothing.
create table loyalty.referral_key (
  tenant_id uuid not null,
  key bytea not null check (length(key) = 32),
  foreign key (tenant_id) references loyalty.tenant);
alter table loyalty.referral_key add primary key (tenant_id);

-- A code leads to one member of one program. Of those made by chance a member has one.
create table loyalty.referral_code (
  tenant_id uuid not null,
  program_id uuid not null,
  member_id uuid not null,
  code text not null,
  vanity boolean not null,
  made_at timestamptz not null,
  foreign key (tenant_id, member_id) references loyalty.member,
  foreign key (tenant_id, program_id) references loyalty.program);
create unique index referral_code_by_chance on loyalty.referral_code
  (tenant_id, member_id, program_id) where not vanity;
create index referral_code_of on loyalty.referral_code (tenant_id, member_id, program_id, made_at);
alter table loyalty.referral_code add primary key (tenant_id, code);

create table loyalty.referral_share (
  tenant_id uuid not null,
  program_id uuid not null,
  member_id uuid not null,
  first_at timestamptz not null,
  times bigint not null,
  foreign key (tenant_id, member_id) references loyalty.member,
  foreign key (tenant_id, program_id) references loyalty.program);
create index referral_share_since on loyalty.referral_share (tenant_id, program_id, first_at);
alter table loyalty.referral_share add primary key (tenant_id, program_id, member_id);

-- A friend and who brought them: written under the lock of the friend alone.
create table loyalty.referral (
  tenant_id uuid not null,
  program_id uuid not null,
  friend_id uuid not null,
  referrer_id uuid not null,
  id uuid not null,
  code text not null,
  via text not null,
  attributed_at timestamptz not null,
  open_until timestamptz,
  verdict text not null check (verdict in ('CLEAR', 'REVIEW', 'BLOCKED', 'RELEASED', 'REFUSED')),
  reasons text[] not null,
  key text,
  fact_id uuid,
  qualified_at timestamptz,
  pays_at timestamptz,
  goods bigint not null,
  least bigint not null,
  decided_by text,
  decided_at timestamptz,
  decided_why text,
  spares jsonb not null,
  check ((key is null) = (fact_id is null) and (key is null) = (pays_at is null)),
  foreign key (tenant_id, friend_id) references loyalty.member,
  foreign key (tenant_id, referrer_id) references loyalty.member,
  foreign key (tenant_id, program_id) references loyalty.program);
create unique index referral_id on loyalty.referral (tenant_id, id);
create index referral_by on loyalty.referral (tenant_id, program_id, referrer_id, attributed_at);
create index referral_since on loyalty.referral (tenant_id, program_id, attributed_at, id);
create index referral_to_review on loyalty.referral (tenant_id, program_id, attributed_at, id)
  where verdict = 'REVIEW';
alter table loyalty.referral add primary key (tenant_id, friend_id, program_id);

-- The referrer's part in a friend: written under the lock of the referrer alone.
create table loyalty.referral_side (
  tenant_id uuid not null,
  program_id uuid not null,
  member_id uuid not null,
  friend_id uuid not null,
  key text not null,
  stands boolean not null,
  goods bigint not null,
  least bigint not null,
  pays_at timestamptz not null,
  cut text,
  foreign key (tenant_id, member_id) references loyalty.member,
  foreign key (tenant_id, program_id) references loyalty.program);
create index referral_side_by on loyalty.referral_side (tenant_id, program_id, key);
create index referral_side_standing on loyalty.referral_side (tenant_id, program_id, member_id)
  where stands;
alter table loyalty.referral_side
  add primary key (tenant_id, member_id, program_id, friend_id);

create table loyalty.referral_step (
  tenant_id uuid not null,
  program_id uuid not null,
  member_id uuid not null,
  step text not null,
  key text not null,
  stands boolean not null,
  pays_at timestamptz not null,
  foreign key (tenant_id, member_id) references loyalty.member,
  foreign key (tenant_id, program_id) references loyalty.program);
alter table loyalty.referral_step add primary key (tenant_id, member_id, program_id, step);

create table loyalty.referral_signal (
  tenant_id uuid not null,
  kind text not null,
  hash text not null,
  member_id uuid not null,
  seen_at timestamptz not null,
  foreign key (tenant_id, member_id) references loyalty.member);
create index referral_signal_of on loyalty.referral_signal (tenant_id, member_id);
alter table loyalty.referral_signal add primary key (tenant_id, kind, hash, member_id);

-- Named codes that are none, by who named them and hour; kept for two days.
create table loyalty.referral_failure (
  tenant_id uuid not null,
  caller text not null,
  hour timestamptz not null,
  failures bigint not null,
  foreign key (tenant_id) references loyalty.tenant);
create index referral_failure_hour on loyalty.referral_failure (tenant_id, hour);
alter table loyalty.referral_failure add primary key (tenant_id, caller, hour);

call loyalty.protect('referral_key');
call loyalty.protect('referral_code');
call loyalty.protect('referral_share');
call loyalty.protect('referral');
call loyalty.protect('referral_side');
call loyalty.protect('referral_step');
call loyalty.protect('referral_signal');
call loyalty.protect('referral_failure');

grant select, insert on loyalty.referral_key, loyalty.referral_code, loyalty.referral_signal
  to loyalty_app, loyalty_worker;
grant select, insert, update on loyalty.referral, loyalty.referral_side, loyalty.referral_step,
  loyalty.referral_share to loyalty_app, loyalty_worker;
grant select, insert, update, delete on loyalty.referral_failure to loyalty_app, loyalty_worker;
grant select on loyalty.referral_code, loyalty.referral_share, loyalty.referral,
  loyalty.referral_side, loyalty.referral_step, loyalty.referral_signal, loyalty.referral_failure
  to loyalty_audit;
