-- Slugs in a table of their own. Where the tables are spread over machines by tenant_id (Citus), no
-- index of `tenant` can keep a slug unique over all tenants; this small one is kept whole on each.
create table loyalty.slug (
  tenant_id uuid not null,
  slug text not null);
create unique index slug_tenant on loyalty.slug (tenant_id);
alter table loyalty.slug add primary key (slug);
-- The owner of a table is held by row security as well, while forced.
alter table loyalty.tenant no force row level security;
insert into loyalty.slug (tenant_id, slug) select t.tenant_id, t.slug from loyalty.tenant t;
alter table loyalty.tenant force row level security;
drop index loyalty.tenant_slug;

call loyalty.protect('slug');
grant insert on loyalty.slug to loyalty_app;
grant select on loyalty.slug to loyalty_app, loyalty_worker, loyalty_audit;
create policy queue_reads on loyalty.slug for select to loyalty_queue using (true);
grant select on loyalty.slug to loyalty_queue;

drop function loyalty.tenant_of_slug(text);
create function loyalty.tenant_of_slug(_slug text) returns uuid language sql stable
  security definer set search_path = pg_catalog, pg_temp
  as $$ select s.tenant_id from loyalty.slug s where s.slug = _slug $$;
revoke all on function loyalty.tenant_of_slug(text) from public;
grant execute on function loyalty.tenant_of_slug(text) to loyalty_app, loyalty_worker;
alter function loyalty.tenant_of_slug(text) owner to loyalty_queue;
