-- What the worker stands on: retries of facts that fell due, leases of outbox rows, and the answer
-- to "which tenants have something to do".

-- A fact that failed for a reason that may pass is tried again at retry_at; its instant stays.
alter table loyalty.due_fact
  add column attempts smallint not null default 0,
  add column retry_at timestamptz;
grant update (attempts, retry_at) on loyalty.due_fact to loyalty_worker;

create index outbox_done on loyalty.outbox (tenant_id, recorded_at) where state = 'DONE';

-- A backfill draws its line by raising the tenant's epoch, and counts from nothing.
grant update (epoch) on loyalty.tenant to loyalty_worker;
grant delete on loyalty.counter to loyalty_worker;

grant select (retry_at) on loyalty.due_fact to loyalty_queue;
grant select (name) on loyalty.job to loyalty_queue;
grant select (parked_at) on loyalty.parked_return to loyalty_queue;

-- Active tenants with something to do by `_now`. Who has no upkeep yet has that to do.
drop function loyalty.tenants_due(timestamptz);
create function loyalty.tenants_due(_now timestamptz) returns uuid[] language sql stable
  security definer set search_path = pg_catalog, pg_temp as $$
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

-- Up to `_n` outbox rows over all tenants, at most `_per_tenant` of each in a random order of
-- tenants, so that one with very many holds nobody up. Never by a cursor over ids: a transaction
-- that commits late would be passed over. Leases are counted by this server's clock; a row that was
-- never tried is ready whatever the clock of the process that wrote it says.
create policy queue_leases on loyalty.outbox for update to loyalty_queue
  using (true) with check (true);
grant select on loyalty.outbox to loyalty_queue;
grant update (state, attempts, ready_at, lease_until, lease_token) on loyalty.outbox
  to loyalty_queue;

create function loyalty.claim_outbox(_n integer, _per_tenant integer, _lease interval)
returns table (tenant_id uuid, id uuid, topic text, fact_id uuid, member_id uuid, payload jsonb,
  attempts smallint, ready_at timestamptz, lease_token uuid)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $f$
#variable_conflict use_column
begin
  -- Whoever held these is late or gone; its acknowledgement will find another token.
  update loyalty.outbox o set state = 'READY', lease_token = null, lease_until = null,
         ready_at = least(o.ready_at, clock_timestamp())
    from (select l.tenant_id, l.id from loyalty.outbox l
           where l.state = 'LEASED' and l.lease_until <= clock_timestamp()
           order by l.lease_until limit _n for update skip locked) lapsed
   where o.tenant_id = lapsed.tenant_id and o.id = lapsed.id;
  return query
    with chosen as materialized (
      select r.tenant_id, r.id
        from (select t.tenant_id from loyalty.tenant t where t.status = 'ACTIVE'
                 and exists (select 1 from loyalty.outbox o
                              where o.tenant_id = t.tenant_id and o.state = 'READY')
               order by random()) t
        cross join lateral (
          select o.tenant_id, o.id from loyalty.outbox o
           where o.tenant_id = t.tenant_id and o.state = 'READY'
             and (o.attempts = 0 or o.ready_at <= clock_timestamp())
           order by o.ready_at, o.id limit _per_tenant for update skip locked) r
       limit _n)
    update loyalty.outbox o
       set state = 'LEASED', attempts = o.attempts + 1, lease_token = gen_random_uuid(),
           lease_until = clock_timestamp() + _lease
      from chosen c where o.tenant_id = c.tenant_id and o.id = c.id
    returning o.tenant_id, o.id, o.topic, o.fact_id, o.member_id, o.payload, o.attempts,
              o.ready_at, o.lease_token;
end $f$;

revoke all on function loyalty.tenants_due(timestamptz),
  loyalty.claim_outbox(integer, integer, interval) from public;
grant execute on function loyalty.tenants_due(timestamptz),
  loyalty.claim_outbox(integer, integer, interval) to loyalty_worker;
alter function loyalty.tenants_due(timestamptz) owner to loyalty_queue;
alter function loyalty.claim_outbox(integer, integer, interval) owner to loyalty_queue;
