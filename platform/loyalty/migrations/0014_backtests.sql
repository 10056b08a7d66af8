-- Back-tests that were asked for, with what they came to. The report is plain JSON; a chart and a
-- table are made of it when they are asked for. `lease_*` is the worker process that walks one.
create table loyalty.backtest (
  tenant_id uuid not null,
  id uuid not null,
  program text not null,
  kind text not null,
  config jsonb not null,
  since timestamptz not null,
  before timestamptz not null,
  cost_per_point text,
  state text not null default 'QUEUED'
    check (state in ('QUEUED', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED')),
  done bigint not null default 0,
  total bigint not null default 0,
  attempts smallint not null default 0,
  lease_token uuid,
  lease_until timestamptz,
  asked_by text not null,
  asked_at timestamptz not null,
  finished_at timestamptz,
  error text,
  report jsonb,
  check (since < before),
  check ((report is not null) = (state = 'DONE')),
  check ((finished_at is null) = (state in ('QUEUED', 'RUNNING'))));
-- One at a time: a walk takes a processor for a minute or more.
create unique index backtest_under_way on loyalty.backtest (tenant_id)
  where state in ('QUEUED', 'RUNNING');
create index backtest_finished on loyalty.backtest (tenant_id, finished_at)
  where finished_at is not null;
alter table loyalty.backtest add primary key (tenant_id, id);
call loyalty.protect('backtest');
grant select on loyalty.backtest to loyalty_app, loyalty_worker, loyalty_audit;
grant insert on loyalty.backtest to loyalty_app;
grant update (state, finished_at, lease_token, lease_until) on loyalty.backtest to loyalty_app;
grant update (state, done, total, attempts, lease_token, lease_until, finished_at, error, report)
  on loyalty.backtest to loyalty_worker;
grant delete on loyalty.backtest to loyalty_worker;
