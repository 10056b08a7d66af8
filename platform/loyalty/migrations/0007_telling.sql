-- Outbox rows are told inside the database, tenant by tenant and in their order, in the transaction
-- that marks them done: nothing has to be leased for that, so what leased them goes. What is leased
-- are the deliveries that come of it (the tenants' floor, 0003_webhooks.sql).
drop function loyalty.claim_outbox(integer, integer, interval);
drop policy queue_leases on loyalty.outbox;
revoke update (state, attempts, ready_at, lease_until, lease_token) on loyalty.outbox
  from loyalty_queue;

-- Active tenants with something to tell. A row that was never tried is ready, whatever the clock of
-- the process that wrote it says.
create function loyalty.tenants_telling() returns uuid[] language sql stable
  security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(array_agg(t.tenant_id order by random()), '{}') from loyalty.tenant t
   where t.status = 'ACTIVE' and exists (
     select 1 from loyalty.outbox o where o.tenant_id = t.tenant_id and o.state = 'READY'
        and (o.attempts = 0 or o.ready_at <= clock_timestamp()))
$$;
revoke all on function loyalty.tenants_telling() from public;
grant execute on function loyalty.tenants_telling() to loyalty_worker;
alter function loyalty.tenants_telling() owner to loyalty_queue;
