-- Operators list tenants. Row security shows a transaction one tenant only, and a transaction for
-- each of a page would be a hundred: one narrow function answers a page of settings instead. Only
-- the API calls it, and only for operators.
grant select (tenant_id, slug, name, zone, status, epoch, currencies, total_tolerance, backdating,
  ahead, parking, enroll_on_purchase, created_at) on loyalty.tenant to loyalty_queue;

create function loyalty.tenant_page(_beyond uuid, _count integer, _backward boolean)
  returns jsonb language sql stable
  security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'tenant_id', t.tenant_id, 'slug', t.slug, 'name', t.name, 'zone', t.zone,
      'status', t.status, 'epoch', t.epoch, 'currencies', t.currencies,
      'total_tolerance', t.total_tolerance,
      'backdating', extract(epoch from t.backdating)::float8,
      'ahead', extract(epoch from t.ahead)::float8,
      'parking', extract(epoch from t.parking)::float8,
      'enroll_on_purchase', t.enroll_on_purchase, 'created_at', t.created_at)
    order by case when _backward then null else t.tenant_id end, t.tenant_id desc), '[]')
  from (
    (select * from loyalty.tenant a
      where not _backward and (_beyond is null or a.tenant_id > _beyond)
      order by a.tenant_id limit _count)
    union all
    (select * from loyalty.tenant b
      where _backward and (_beyond is null or b.tenant_id < _beyond)
      order by b.tenant_id desc limit _count)) t
$$;
revoke all on function loyalty.tenant_page(uuid, integer, boolean) from public;
grant execute on function loyalty.tenant_page(uuid, integer, boolean) to loyalty_app;
alter function loyalty.tenant_page(uuid, integer, boolean) owner to loyalty_queue;
