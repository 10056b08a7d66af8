-- Who has something due or to tell is asked again and again, and each question has its index. Where
-- many rows were due when statistics were taken, the planner hopes to meet one soon and reads the whole
-- table, each time, when they are done: scans of tables are off. Nothing else of these is changed.
drop function loyalty.tenants_due(timestamptz);
create function loyalty.tenants_due(_now timestamptz) returns uuid[] language sql stable
  security definer set search_path = pg_catalog, pg_temp
  set enable_seqscan = off set enable_bitmapscan = off as $$
  select coalesce(array_agg(t.tenant_id), '{}') from loyalty.tenant t
   where t.status = 'ACTIVE' and (
     exists (select 1 from loyalty.due_fact d where d.tenant_id = t.tenant_id
              and d.state = 'WAITING' and d.due_at <= _now
              and (d.retry_at is null or d.retry_at <= _now))
     or exists (select 1 from loyalty.lot l where l.tenant_id = t.tenant_id
              and l.remaining > 0 and l.expires_at <= _now)
     or exists (select 1 from loyalty.redemption r where r.tenant_id = t.tenant_id
              and r.state = 'HELD' and r.held_until <= _now)
     or exists (select 1 from loyalty.parked_return p where p.tenant_id = t.tenant_id
              and p.state = 'PARKED'
              -- a fresh one may have crossed its purchase on the way: neither saw the other
              and (p.ends_at <= _now or p.parked_at > _now - interval '1 minute'))
     or exists (select 1 from loyalty.outbox o where o.tenant_id = t.tenant_id
              and o.state = 'READY' and o.ready_at <= _now)
     or exists (select 1 from loyalty.job j where j.tenant_id = t.tenant_id and j.due_at <= _now)
     or not exists (select 1 from loyalty.job j where j.tenant_id = t.tenant_id
              and j.name = 'upkeep'))
$$;
revoke all on function loyalty.tenants_due(timestamptz) from public;
grant execute on function loyalty.tenants_due(timestamptz) to loyalty_worker;
alter function loyalty.tenants_due(timestamptz) owner to loyalty_queue;

drop function loyalty.tenants_telling();
create function loyalty.tenants_telling() returns uuid[] language sql stable
  security definer set search_path = pg_catalog, pg_temp
  set enable_seqscan = off set enable_bitmapscan = off as $$
  select coalesce(array_agg(t.tenant_id order by random()), '{}') from loyalty.tenant t
   where t.status = 'ACTIVE' and exists (
     select 1 from loyalty.outbox o where o.tenant_id = t.tenant_id and o.state = 'READY'
        and (o.attempts = 0 or o.ready_at <= clock_timestamp()))
$$;
revoke all on function loyalty.tenants_telling() from public;
grant execute on function loyalty.tenants_telling() to loyalty_worker;
alter function loyalty.tenants_telling() owner to loyalty_queue;
