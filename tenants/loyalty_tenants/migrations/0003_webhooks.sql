-- Webhooks: where a tenant wants to hear of what happens, what is to be said, and to whom it was.
-- decisions/0018-webhooks-are-leased-by-line.md says why the lease is on the line.

create table loyalty.webhook_endpoint (
  tenant_id uuid not null references loyalty.tenant,
  id uuid not null,
  url text not null check (length(url) between 1 and 500),
  topics text[] not null check (cardinality(topics) between 1 and 100),
  description text not null check (length(description) <= 200),
  status text not null default 'ENABLED' check (status in ('ENABLED', 'DISABLED', 'DELETED')),
  reason text check (reason in ('BY_HAND', 'GONE')),
  failures integer not null default 0 check (failures >= 0),
  rest_until timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  check ((reason is not null) = (status = 'DISABLED')));
alter table loyalty.webhook_endpoint add primary key (tenant_id, id);

-- The API's login writes secrets and cannot read them back: only workers sign.
create table loyalty.webhook_secret (
  tenant_id uuid not null,
  id uuid not null,
  endpoint_id uuid not null,
  secret bytea not null check (octet_length(secret) between 24 and 64),
  created_at timestamptz not null,
  retires_at timestamptz,
  foreign key (tenant_id, endpoint_id) references loyalty.webhook_endpoint);
create index webhook_secret_endpoint on loyalty.webhook_secret (tenant_id, endpoint_id);
alter table loyalty.webhook_secret add primary key (tenant_id, id);

-- What is said, once for all who hear it: the very bytes that are signed and sent, on every try.
create table loyalty.webhook_event (
  tenant_id uuid not null,
  id uuid not null,
  topic text not null,
  body text not null,
  created_at timestamptz not null);
create index webhook_event_age on loyalty.webhook_event (tenant_id, created_at);
alter table loyalty.webhook_event add primary key (tenant_id, id);

-- `line` is the member that the event is about, or the event itself where it is about none. Of a
-- line, an endpoint is told one after the other in the order of `seq`. Lists are in the order of ids:
-- `seq` counts over all tenants, and none is to learn from it what the others do.
create sequence loyalty.webhook_delivery_seq as bigint;
create table loyalty.webhook_delivery (
  tenant_id uuid not null,
  id uuid not null,
  endpoint_id uuid not null,
  event_id uuid not null,
  line uuid not null,
  seq bigint not null,
  topic text not null,
  state text not null default 'PENDING' check (state in ('PENDING', 'DELIVERED', 'DEAD')),
  attempts smallint not null default 0 check (attempts >= 0),
  tried_at timestamptz,
  answered smallint,
  problem text check (length(problem) <= 300),
  created_at timestamptz not null,
  finished_at timestamptz,
  check ((finished_at is null) = (state = 'PENDING')),
  foreign key (tenant_id, endpoint_id) references loyalty.webhook_endpoint,
  foreign key (tenant_id, event_id) references loyalty.webhook_event);
create index webhook_delivery_line on loyalty.webhook_delivery (tenant_id, endpoint_id, line, seq)
  where state = 'PENDING';
create index webhook_delivery_dead on loyalty.webhook_delivery (tenant_id, id)
  where state = 'DEAD';
create index webhook_delivery_finished on loyalty.webhook_delivery (tenant_id, state, finished_at)
  where state <> 'PENDING';
create unique index webhook_delivery_once
  on loyalty.webhook_delivery (tenant_id, event_id, endpoint_id);
alter table loyalty.webhook_delivery add primary key (tenant_id, id);

-- One row while something of a line waits for an endpoint. Its lock is what fan-out, claim and
-- acknowledgement meet at, so none of them can miss what another is just about to commit.
create table loyalty.webhook_line (
  tenant_id uuid not null,
  endpoint_id uuid not null,
  line uuid not null,
  state text not null default 'READY' check (state in ('READY', 'LEASED')),
  ready_at timestamptz not null default clock_timestamp(),
  lease_until timestamptz,
  lease_token uuid,
  check ((state = 'LEASED') = (lease_token is not null)),
  foreign key (tenant_id, endpoint_id) references loyalty.webhook_endpoint);
create index webhook_line_ready on loyalty.webhook_line (tenant_id, endpoint_id, ready_at)
  where state = 'READY';
create index webhook_line_leased on loyalty.webhook_line (tenant_id, endpoint_id)
  where state = 'LEASED';
create index webhook_line_lapsing on loyalty.webhook_line (lease_until) where state = 'LEASED';
alter table loyalty.webhook_line add primary key (tenant_id, endpoint_id, line);

call loyalty.protect('webhook_endpoint');
call loyalty.protect('webhook_secret');
call loyalty.protect('webhook_event');
call loyalty.protect('webhook_delivery');
call loyalty.protect('webhook_line');

grant select, insert, update (url, topics, description, status, reason, failures, rest_until,
  updated_at) on loyalty.webhook_endpoint to loyalty_app;
grant select (tenant_id, id, endpoint_id, created_at, retires_at), insert, update (retires_at),
  delete on loyalty.webhook_secret to loyalty_app;
grant select (tenant_id, id), insert on loyalty.webhook_event to loyalty_app;
grant select, insert, update (state, attempts, seq, finished_at) on loyalty.webhook_delivery
  to loyalty_app;
grant select, insert, update (ready_at) on loyalty.webhook_line to loyalty_app;
grant usage on sequence loyalty.webhook_delivery_seq to loyalty_app, loyalty_worker;

grant select, update (status, reason, failures, rest_until, updated_at), delete
  on loyalty.webhook_endpoint to loyalty_worker;
grant select, delete on loyalty.webhook_secret to loyalty_worker;
grant select, insert, delete on loyalty.webhook_event to loyalty_worker;
grant select, insert, update (state, attempts, tried_at, answered, problem, finished_at), delete
  on loyalty.webhook_delivery to loyalty_worker;
grant select, insert, update (state, ready_at, lease_until, lease_token), delete
  on loyalty.webhook_line to loyalty_worker;

-- The auditor reads no secret.
grant select on loyalty.webhook_endpoint, loyalty.webhook_event, loyalty.webhook_delivery,
  loyalty.webhook_line to loyalty_audit;
grant select (tenant_id, id, endpoint_id, created_at, retires_at) on loyalty.webhook_secret
  to loyalty_audit;

-- Up to `_n` lines over all tenants in a random order, of each tenant and of each endpoint only as
-- many as are not being told already: one that never answers holds up itself alone. One that failed
-- several times in a row is asked one thing at a time, and after `rest_until`.
create policy queue_reads on loyalty.webhook_endpoint for select to loyalty_queue using (true);
create policy queue_reads on loyalty.webhook_line for select to loyalty_queue using (true);
create policy queue_leases on loyalty.webhook_line for update to loyalty_queue
  using (true) with check (true);
grant select (tenant_id, id, status, failures, rest_until) on loyalty.webhook_endpoint
  to loyalty_queue;
grant select, update (state, lease_until, lease_token) on loyalty.webhook_line to loyalty_queue;

create function loyalty.claim_webhooks(
  _n integer, _per_tenant integer, _per_endpoint integer, _lease interval)
returns table (tenant_id uuid, endpoint_id uuid, line uuid, lease_token uuid)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $f$
#variable_conflict use_column
begin
  -- Whoever held these is late or gone; its acknowledgement will find another token.
  update loyalty.webhook_line w set state = 'READY', lease_token = null, lease_until = null
    from (select l.tenant_id, l.endpoint_id, l.line from loyalty.webhook_line l
           where l.state = 'LEASED' and l.lease_until <= clock_timestamp()
           order by l.lease_until limit _n for update skip locked) lapsed
   where w.tenant_id = lapsed.tenant_id and w.endpoint_id = lapsed.endpoint_id
     and w.line = lapsed.line;
  return query
    with chosen as materialized (
      select r.tenant_id, r.endpoint_id, r.line
        from (select t.tenant_id, _per_tenant - (
                       select count(*) from loyalty.webhook_line b
                        where b.tenant_id = t.tenant_id and b.state = 'LEASED') as room
                from loyalty.tenant t where t.status = 'ACTIVE'
                 and exists (select 1 from loyalty.webhook_line l
                              where l.tenant_id = t.tenant_id and l.state = 'READY')
               order by random()) t
        cross join lateral (
          select l.tenant_id, l.endpoint_id, l.line
            from (select e.id, case when e.failures < 3 then _per_endpoint else 1 end - (
                           select count(*) from loyalty.webhook_line b
                            where b.tenant_id = t.tenant_id and b.endpoint_id = e.id
                              and b.state = 'LEASED') as room
                    from loyalty.webhook_endpoint e
                   where e.tenant_id = t.tenant_id and e.status = 'ENABLED'
                     and (e.rest_until is null or e.rest_until <= clock_timestamp())
                   order by random()) e
            cross join lateral (
              select l.tenant_id, l.endpoint_id, l.line from loyalty.webhook_line l
               where l.tenant_id = t.tenant_id and l.endpoint_id = e.id and l.state = 'READY'
                 and l.ready_at <= clock_timestamp()
               order by l.ready_at limit greatest(e.room, 0) for update skip locked) l
           limit greatest(t.room, 0)) r
       limit _n)
    update loyalty.webhook_line w
       set state = 'LEASED', lease_token = gen_random_uuid(),
           lease_until = clock_timestamp() + _lease
      from chosen c
     where w.tenant_id = c.tenant_id and w.endpoint_id = c.endpoint_id and w.line = c.line
    returning w.tenant_id, w.endpoint_id, w.line, w.lease_token;
end $f$;
revoke all on function loyalty.claim_webhooks(integer, integer, integer, interval) from public;
grant execute on function loyalty.claim_webhooks(integer, integer, integer, interval)
  to loyalty_worker;
alter function loyalty.claim_webhooks(integer, integer, integer, interval) owner to loyalty_queue;
