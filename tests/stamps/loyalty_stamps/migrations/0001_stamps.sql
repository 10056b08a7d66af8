-- The punch card's own tables: tenant-led keys, the platform's row security, rights to serve.
create table loyalty.stamps_card (
  tenant_id uuid not null,
  program_id uuid not null,
  member_id uuid not null,
  stamps integer not null check (stamps >= 0),
  ends_at timestamptz,
  foreign key (tenant_id, member_id) references loyalty.member,
  foreign key (tenant_id, program_id) references loyalty.program);
create index stamps_card_due on loyalty.stamps_card (tenant_id, program_id, ends_at)
  where stamps > 0;
alter table loyalty.stamps_card add primary key (tenant_id, program_id, member_id);

-- Stamps by the key of what they were given for; a return adds a row with a minus.
create table loyalty.stamps_given (
  tenant_id uuid not null,
  program_id uuid not null,
  fact_id uuid not null,
  member_id uuid not null,
  scope text not null,
  key text not null,
  stamps integer not null,
  foreign key (tenant_id, member_id) references loyalty.member,
  foreign key (tenant_id, program_id) references loyalty.program);
create index stamps_given_for on loyalty.stamps_given (tenant_id, program_id, scope, key);
alter table loyalty.stamps_given add primary key (tenant_id, program_id, fact_id);

create table loyalty.stamps_buddy (
  tenant_id uuid not null,
  member_id uuid not null,
  buddy_id uuid not null,
  foreign key (tenant_id, member_id) references loyalty.member,
  foreign key (tenant_id, buddy_id) references loyalty.member);
alter table loyalty.stamps_buddy add primary key (tenant_id, member_id);

call loyalty.protect('stamps_card');
call loyalty.protect('stamps_given');
call loyalty.protect('stamps_buddy');

grant select, insert, update on loyalty.stamps_card, loyalty.stamps_buddy
  to loyalty_app, loyalty_worker;
grant select, insert on loyalty.stamps_given to loyalty_app, loyalty_worker;
grant select on loyalty.stamps_card, loyalty.stamps_given, loyalty.stamps_buddy to loyalty_audit;
