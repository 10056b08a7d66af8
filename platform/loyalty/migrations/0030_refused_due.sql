-- What fell due by a plugin's job and was refused: it is left out where the job names who is left, so
-- that one member holds up nobody, and tried again by itself from `retry_at` on. `key` is the one
-- under which it is recorded in the end; then the row goes.
create table loyalty.refused_due (
  tenant_id uuid not null,
  scope text not null,
  key text not null,
  id uuid not null,
  job text not null,
  kind text not null,
  member_id uuid,
  payload jsonb not null,
  due_at timestamptz not null,
  reason jsonb not null,
  attempts integer not null default 1,
  refused_at timestamptz not null,
  retry_at timestamptz not null);
create unique index refused_due_id on loyalty.refused_due (tenant_id, id);
create index refused_due_member on loyalty.refused_due (tenant_id, member_id);
create index refused_due_again on loyalty.refused_due (tenant_id, scope, retry_at);
alter table loyalty.refused_due add primary key (tenant_id, scope, key);
call loyalty.protect('refused_due');
grant select on loyalty.refused_due to loyalty_app, loyalty_worker, loyalty_audit;
grant insert, delete on loyalty.refused_due to loyalty_worker;
grant update (reason, attempts, retry_at) on loyalty.refused_due to loyalty_worker;
grant delete on loyalty.refused_due to loyalty_app;
