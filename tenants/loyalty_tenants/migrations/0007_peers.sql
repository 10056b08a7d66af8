-- Brands of other installations that a tenant works with: where they are asked, and the secret that
-- calls between the two are signed with, both ways. Which side `asked` is a part of what is signed,
-- so that no call is ever taken for one of the other direction.
create table loyalty.peer (
  tenant_id uuid not null references loyalty.tenant,
  id uuid not null,
  name text not null check (name ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  url text not null check (length(url) between 1 and 500),
  remote text not null check (remote ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  asked boolean not null,
  secret bytea not null check (octet_length(secret) between 32 and 64),
  status text not null check (status in ('WAITING', 'ACTIVE', 'ENDED')),
  created_at timestamptz not null,
  updated_at timestamptz not null);
create unique index peer_name on loyalty.peer (tenant_id, name) where status <> 'ENDED';
alter table loyalty.peer add primary key (tenant_id, id);

call loyalty.protect('peer');
grant select, insert, update (url, status, updated_at) on loyalty.peer to loyalty_app;
grant select on loyalty.peer to loyalty_worker;
-- The auditor reads no secret.
grant select (tenant_id, id, name, url, remote, asked, status, created_at, updated_at)
  on loyalty.peer to loyalty_audit;
