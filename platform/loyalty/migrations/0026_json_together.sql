-- What facts hold as JSON is handed over together: one array of payloads, one of answers and one of
-- decisions, an item for each fact. Within rows every one of them was encoded, received and copied by
-- itself, which was most of what handing a batch over took. And the outbox row of a fact, which says
-- nothing that the fact does not say, is made here: only its id comes with the fact.
--
-- The append of the release before has 19 arguments and stays for one release.

create type loyalty.fact_told as (id uuid, kind text, scope text, key text, member_id uuid,
  occurred_at timestamptz, cause_id uuid, hop smallint, actor text, request_id text, told_id uuid);

-- The newest append, and nothing else of it is changed.
do $$
declare source text; changed text; arguments text; step text[];
  -- An item that is missing is null beside its fact, and so is a fact beside an item too many: neither
  -- goes into its table.
  steps constant text[] := array[
    array['_facts loyalty.fact_in[]', '_facts loyalty.fact_told[]'],
    array['_outbox loyalty.outbox_in[])',
      '_outbox loyalty.outbox_in[], _payloads jsonb, _answers jsonb, _bodies jsonb)'],
    array['from unnest(_facts) x order by x.scope, x.key;',
      'from rows from (unnest(_facts), jsonb_array_elements(_payloads), jsonb_array_elements(_answers))
        x(id, kind, scope, key, member_id, occurred_at, cause_id, hop, actor, request_id, told_id,
          payload, answer)
     order by x.scope, x.key;'],
    array['select _t, x.id, x.body from unnest(_facts) x where x.body is not null;',
      'select _t, x.id, x.body from rows from (unnest(_facts), jsonb_array_elements(_bodies))
        x(id, kind, scope, key, member_id, occurred_at, cause_id, hop, actor, request_id, told_id, body)
     where x.body is distinct from ''null''::jsonb;'],
    array['insert into loyalty.outbox (tenant_id, id, topic, fact_id, member_id, payload, ready_at,
      recorded_at)
    select _t, x.*, _at, _at from unnest(_outbox) x;',
      'insert into loyalty.outbox (tenant_id, id, topic, fact_id, member_id, ready_at, recorded_at)
    select _t, x.told_id, x.kind, x.id, x.member_id, _at, _at from unnest(_facts) x;
  if cardinality(_outbox) > 0 then
    insert into loyalty.outbox (tenant_id, id, topic, fact_id, member_id, payload, ready_at,
        recorded_at)
      select _t, x.*, _at, _at from unnest(_outbox) x;
  end if;']];
begin
  select pg_get_functiondef(p.oid) into strict source
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where n.nspname = 'loyalty' and p.proname = 'append';
  foreach step slice 1 in array steps loop
    changed := replace(source, step[1], step[2]);
    if changed = source then
      raise exception 'append is not as this migration knows it: %', step[1];
    end if;
    source := changed;
  end loop;
  execute source;
  select pg_get_function_identity_arguments(p.oid) into strict arguments
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where n.nspname = 'loyalty' and p.proname = 'append' order by p.oid desc limit 1;
  execute format('revoke all on function loyalty.append(%s) from public', arguments);
  execute format('grant execute on function loyalty.append(%s) to loyalty_app, loyalty_worker',
    arguments);
  execute format('alter function loyalty.append(%s) owner to loyalty_ledger', arguments);
end $$;
