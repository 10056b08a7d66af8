-- What a tenant sets up and who may speak for it. Every key starts with tenant_id; row security
-- hides the other tenants. Primary keys come after the other unique indexes: plans of foreign-key
-- checks are cached, and made on an empty table they walk the unique index created last.

create table loyalty.unit (
  tenant_id uuid not null references loyalty.tenant,
  code text not null check (code ~ '^[A-Za-z][A-Za-z0-9_]{0,31}$'),
  name text not null check (length(name) between 1 and 80),
  places smallint not null check (places between 0 and 9),
  kind text not null check (kind in ('POINTS', 'MONEY')),
  created_at timestamptz not null);
alter table loyalty.unit add primary key (tenant_id, code);

create table loyalty.program (
  tenant_id uuid not null references loyalty.tenant,
  id uuid not null,
  slug text not null check (slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  kind text not null check (length(kind) between 1 and 60),
  name text not null check (length(name) between 1 and 120),
  position integer not null,
  status text not null default 'DRAFT' check (status in ('DRAFT', 'ACTIVE', 'ARCHIVED')),
  draft jsonb not null,
  version integer not null default 1,
  created_at timestamptz not null,
  archived_at timestamptz check ((archived_at is not null) = (status = 'ARCHIVED')));
alter table loyalty.program add constraint program_slug unique (tenant_id, slug);
alter table loyalty.program add primary key (tenant_id, id);

-- Published configs. Immutable: the app may only say that a backfill is done.
create table loyalty.program_version (
  tenant_id uuid not null,
  id uuid not null,
  program_id uuid not null,
  number integer not null check (number > 0),
  config jsonb not null,
  effective_from timestamptz not null,
  published_at timestamptz not null,
  published_by text not null,
  draw_secret bytea not null check (octet_length(draw_secret) = 32),
  state text not null check (state in ('BACKFILLING', 'ACTIVE')),
  activated_at timestamptz);
alter table loyalty.program_version
  add constraint program_version_number unique (tenant_id, program_id, number);
alter table loyalty.program_version add primary key (tenant_id, id);
alter table loyalty.program_version
  add foreign key (tenant_id, program_id) references loyalty.program (tenant_id, id);

-- Config keys that can be written and never read back through the API.
create table loyalty.program_secret (
  tenant_id uuid not null,
  program_id uuid not null,
  name text not null check (length(name) between 1 and 60),
  value text not null check (length(value) between 1 and 4096),
  updated_at timestamptz not null);
alter table loyalty.program_secret add primary key (tenant_id, program_id, name);
alter table loyalty.program_secret
  add foreign key (tenant_id, program_id) references loyalty.program (tenant_id, id);

create table loyalty.api_key (
  tenant_id uuid not null references loyalty.tenant,
  id uuid not null,
  prefix text not null check (length(prefix) = 16),
  hash bytea not null check (octet_length(hash) = 32),
  role text not null check (role in ('ADMIN', 'SERVICE', 'PARTNER')),
  scopes text[] not null,
  client text not null check (length(client) between 1 and 60),
  label text not null check (length(label) <= 120),
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz);
-- Not unique: uniqueness over all tenants would tell one of them about another. It is drawn at
-- random and 80 bits long.
create index api_key_prefix on loyalty.api_key (prefix);
create index api_key_client on loyalty.api_key (tenant_id, client) where revoked_at is null;
alter table loyalty.api_key add primary key (tenant_id, id);

-- What a tenant signs its own HS256 tokens with. `id` is the kid of the token's header.
create table loyalty.tenant_secret (
  tenant_id uuid not null references loyalty.tenant,
  id uuid not null,
  secret bytea not null check (octet_length(secret) >= 32),
  created_at timestamptz not null,
  retires_at timestamptz);
alter table loyalty.tenant_secret add primary key (tenant_id, id);

create table loyalty.tenant_issuer (
  tenant_id uuid not null references loyalty.tenant,
  issuer text not null check (length(issuer) between 1 and 500),
  jwks_url text not null check (length(jwks_url) between 1 and 1000),
  algorithms text[] not null
    check (algorithms <@ array['RS256', 'ES256', 'EdDSA'] and cardinality(algorithms) > 0),
  audience text not null check (length(audience) between 1 and 500),
  created_at timestamptz not null);
alter table loyalty.tenant_issuer add primary key (tenant_id, issuer);

create table loyalty.audit_entry (
  tenant_id uuid not null references loyalty.tenant,
  id uuid not null,
  at timestamptz not null,
  actor text not null,
  role text not null,
  action text not null,
  subject text not null,
  details jsonb not null,
  request_id text);
alter table loyalty.audit_entry add primary key (tenant_id, id);

call loyalty.protect('unit');
call loyalty.protect('program');
call loyalty.protect('program_version');
call loyalty.protect('program_secret');
call loyalty.protect('api_key');
call loyalty.protect('tenant_secret');
call loyalty.protect('tenant_issuer');
call loyalty.protect('audit_entry');

grant select, insert, update (name) on loyalty.unit to loyalty_app;
grant select, insert, update on loyalty.program to loyalty_app;
grant select, insert, update (state, activated_at) on loyalty.program_version to loyalty_app;
grant select, insert, update, delete on loyalty.program_secret to loyalty_app;
grant select, insert, update (revoked_at, last_used_at) on loyalty.api_key to loyalty_app;
grant select, insert, update (retires_at), delete on loyalty.tenant_secret to loyalty_app;
grant select, insert, update, delete on loyalty.tenant_issuer to loyalty_app;
grant select, insert on loyalty.audit_entry to loyalty_app;

grant select on loyalty.unit, loyalty.program, loyalty.program_version, loyalty.program_secret
  to loyalty_worker;
grant update (state, activated_at) on loyalty.program_version to loyalty_worker;
grant insert on loyalty.audit_entry to loyalty_worker;

-- The auditor reads no secret, neither ours nor a tenant's.
grant select on loyalty.unit, loyalty.program, loyalty.tenant_issuer, loyalty.audit_entry
  to loyalty_audit;
grant select (tenant_id, id, program_id, number, config, effective_from, published_at,
  published_by, state, activated_at) on loyalty.program_version to loyalty_audit;
grant select (tenant_id, id, prefix, role, scopes, client, label, created_at, expires_at,
  revoked_at, last_used_at) on loyalty.api_key to loyalty_audit;

-- Whose key is it? Must be answered before a tenant is known; says that and nothing else.
create policy tenant_of_key on loyalty.api_key for select to loyalty_queue using (true);
grant select (tenant_id, prefix) on loyalty.api_key to loyalty_queue;
create function loyalty.tenant_of_key(_prefix text) returns uuid language sql stable strict
  security definer set search_path = pg_catalog, pg_temp
  as $$ select k.tenant_id from loyalty.api_key k where k.prefix = _prefix limit 1 $$;
revoke all on function loyalty.tenant_of_key(text) from public;
grant execute on function loyalty.tenant_of_key(text) to loyalty_app, loyalty_worker;
alter function loyalty.tenant_of_key(text) owner to loyalty_queue;
