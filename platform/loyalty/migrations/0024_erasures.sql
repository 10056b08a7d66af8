-- Erasing a member. What was posted stays as it was posted: amounts, lots, instants, who is whose.
-- What says who the person was goes: the ledger role takes it out, in functions that can take away
-- and put nothing in. Who is erased is written down first, so that none of them touches anybody else.

create table loyalty.erasure (
  tenant_id uuid not null,
  member_id uuid not null,
  asked_at timestamptz not null,
  asked_by text not null,
  names text[],
  watermark uuid,
  done_at timestamptz,
  check ((done_at is null) or (names is null)),
  foreign key (tenant_id, member_id) references loyalty.member);
create index erasure_open on loyalty.erasure (tenant_id, asked_at) where done_at is null;
alter table loyalty.erasure add primary key (tenant_id, member_id);
call loyalty.protect('erasure');
grant select on loyalty.erasure to loyalty_app, loyalty_worker, loyalty_ledger;
grant select (tenant_id, member_id, asked_at, asked_by, watermark, done_at) on loyalty.erasure
  to loyalty_audit;  -- no names
grant insert, update on loyalty.erasure to loyalty_ledger;

grant delete on loyalty.member_identifier to loyalty_ledger;
grant update (key, actor, payload, answer) on loyalty.fact to loyalty_ledger;
grant update (body) on loyalty.decision to loyalty_ledger;
grant update (label) on loyalty.posting to loyalty_ledger;
grant update (client, input, answer) on loyalty.command_key to loyalty_ledger;
grant update (payload) on loyalty.outbox to loyalty_ledger;

-- A value without what stands at a path (`lines.*.attributes`): a text is empty then, an object and
-- a list too. Numbers, and lists of objects as a whole, are never taken: they are what is counted.
create function loyalty.blank(_value jsonb, _path text[]) returns jsonb
language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $f$
declare head text := _path[1]; rest text[] := _path[2:];
begin
  if head is null then
    return case jsonb_typeof(_value)
      when 'string' then '""'::jsonb
      when 'object' then '{}'::jsonb
      when 'array' then case when jsonb_path_exists(_value, '$[*] ? (@.type() == "object")')
                             then _value else '[]'::jsonb end
      else _value end;
  elsif head = '*' and jsonb_typeof(_value) = 'array' then
    return (select coalesce(jsonb_agg(loyalty.blank(x.v, rest) order by x.n), '[]'::jsonb)
              from jsonb_array_elements(_value) with ordinality x(v, n));
  elsif head = '*' and jsonb_typeof(_value) = 'object' then
    return (select coalesce(jsonb_object_agg(x.k, loyalty.blank(x.v, rest)), '{}'::jsonb)
              from jsonb_each(_value) x(k, v));
  elsif jsonb_typeof(_value) = 'object' and _value ? head then
    return jsonb_set(_value, array[head], loyalty.blank(_value -> head, rest));
  end if;
  return _value;
end $f$;

-- The same for several paths. Under `$erased` it says which of them held anything: a repeat of what
-- was sent is not compared there.
create function loyalty.erased(_value jsonb, _paths jsonb) returns jsonb
language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $f$
declare path text; before jsonb; gone text[] := '{}'; value jsonb := _value;
begin
  if jsonb_typeof(_value) is distinct from 'object' or _paths is null then
    return _value;
  end if;
  for path in select p from jsonb_array_elements_text(_paths) p loop
    before := value;
    value := loyalty.blank(value, string_to_array(path, '.'));
    if value <> before then
      gone := gone || path;
    end if;
  end loop;
  if cardinality(gone) = 0 then
    return _value;
  end if;
  return value || jsonb_build_object('$erased', (
    select jsonb_agg(distinct p) from (
      select unnest(gone) union
      select jsonb_array_elements_text(coalesce(_value -> '$erased', '[]'::jsonb))) x(p)));
end $f$;

-- A new name for a name; equal ones get equal ones from one secret. It is thrown away afterwards.
create function loyalty.pseudonym(_name text, _secret text) returns text
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  select case when _name like 'erased:%' then _name
    else 'erased:' || left(encode(sha256(convert_to(_secret || _name, 'UTF8')), 'hex'), 24) end $$;

-- Begin, or begin anew: the member is found by no name from here on. Answers the names they had.
create function loyalty.begin_erasure(_t uuid, _member uuid, _at timestamptz, _by text)
returns table (began boolean, names text[]) language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $f$
#variable_conflict use_column
declare who record; called text[]; inserted boolean;
begin
  if _t is distinct from loyalty.tenant() then
    raise exception 'not the tenant of this transaction' using errcode = '42501';
  end if;
  select m.external_id, m.status into who from loyalty.member m
   where m.tenant_id = _t and m.id = _member for no key update;
  if not found or who.status <> 'CLOSED' then
    raise exception 'only who left can be erased' using errcode = '22000';
  end if;
  select array[who.external_id] || coalesce(array_agg(i.value), '{}') into called
    from loyalty.member_identifier i where i.tenant_id = _t and i.member_id = _member;
  insert into loyalty.erasure as e (tenant_id, member_id, asked_at, asked_by, names)
    values (_t, _member, _at, _by, called)
    on conflict (tenant_id, member_id) do update set watermark = null, done_at = null,
      names = coalesce(e.names, '{}') || excluded.names
    returning xmax = 0, e.names into inserted, called;
  update loyalty.member m set external_id = 'erased:' || _member, attributes = '{}',
         version = m.version + 1
   where m.tenant_id = _t and m.id = _member and m.external_id <> 'erased:' || _member;
  delete from loyalty.member_identifier i where i.tenant_id = _t and i.member_id = _member;
  return query select inserted, called;
end $f$;

-- What waits or is kept for a time only, all of it. `_paths`: by kind of fact, what is personal.
create function loyalty.erase_passing(_t uuid, _member uuid, _paths jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $f$
declare called text := 'member:erased:' || _member;
begin
  if _t is distinct from loyalty.tenant() or not exists (
      select from loyalty.erasure e where e.tenant_id = _t and e.member_id = _member) then
    raise exception 'nobody asked to erase this member' using errcode = '42501';
  end if;
  update loyalty.command_key k set input = loyalty.erased(k.input, _paths -> k.kind),
         answer = case when k.kind = 'AdjustBalance'
                       then loyalty.blank(k.answer, '{earned,*,label}') else k.answer end,
         client = case when k.client like 'member:%' then called else k.client end
   where k.tenant_id = _t and k.member_id = _member;
  update loyalty.due_fact d set payload = loyalty.erased(d.payload, _paths -> d.kind)
   where d.tenant_id = _t and d.member_id = _member;
  update loyalty.outbox o set payload = loyalty.erased(o.payload, _paths -> o.topic)
   where o.tenant_id = _t and o.member_id = _member and o.payload is not null;
  -- Returns that came before their purchase name nobody: theirs is who bought.
  with waited as (
    update loyalty.parked_return p
       set payload = loyalty.erased(p.payload, _paths -> 'PurchaseReversed')
      from loyalty.fact s
     where p.tenant_id = _t and s.tenant_id = _t and s.scope = 'purchase:' || p.source
       and s.key = p.purchase_external_id and s.member_id = _member
    returning p.source, p.return_id)
  update loyalty.fact f set payload = loyalty.erased(f.payload, _paths -> 'PurchaseReversed')
    from waited w
   where f.tenant_id = _t and f.scope = 'return:' || w.source and f.key = w.return_id
     and f.kind = 'ReturnParked';
end $f$;

-- The next `_limit` facts with what was decided and posted of them; whether any may be left.
create function loyalty.erase_facts(_t uuid, _member uuid, _paths jsonb, _limit integer,
  _at timestamptz) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $f$
declare job record; page uuid[]; called text := 'member:erased:' || _member; callers text[];
begin
  if _t is distinct from loyalty.tenant() then
    raise exception 'not the tenant of this transaction' using errcode = '42501';
  end if;
  select e.* into job from loyalty.erasure e
   where e.tenant_id = _t and e.member_id = _member for update;
  if not found then
    raise exception 'nobody asked to erase this member' using errcode = '42501';
  end if;
  select array_agg(f.id order by f.id) into page from (
    select f.id from loyalty.fact f where f.tenant_id = _t and f.member_id = _member
       and (job.watermark is null or f.id > job.watermark) order by f.id limit _limit) f;
  if page is null then
    update loyalty.erasure e set done_at = coalesce(e.done_at, _at), names = null
     where e.tenant_id = _t and e.member_id = _member;
    return false;
  end if;
  -- Who they called themselves in what they did; other members' facts that came of it say it too.
  select coalesce(array_agg(distinct x), '{}') into callers from (
    select f.actor from loyalty.fact f where f.tenant_id = _t and f.id = any(page)
       and f.cause_id is null and f.actor like 'member:%'
    union select 'member:' || n from unnest(job.names) n) c(x);
  update loyalty.fact f set actor = called
   where f.tenant_id = _t and f.cause_id = any(page) and f.actor = any(callers)
     and f.actor <> called;
  update loyalty.fact f
     set payload = case when f.kind = 'MemberEnrolled'
           then loyalty.erased(f.payload, _paths -> f.kind)
                || jsonb_build_object('external_id', 'erased:' || _member)
           else loyalty.erased(f.payload, _paths -> f.kind) end,
         answer = case when f.kind = 'AdjustBalance'
           then loyalty.blank(f.answer, '{earned,*,label}') else f.answer end,
         key = case when f.kind = 'MemberEnrolled' then 'erased:' || f.id else f.key end,
         actor = case when f.actor = any(callers) then called else f.actor end
   where f.tenant_id = _t and f.id = any(page);
  -- Decisions keep the attributes that rules read, and the facts that followed at once.
  update loyalty.decision d set body = d.body
      || case when d.body ? 'read' then jsonb_build_object('read', (
           select coalesce(jsonb_object_agg(x.k, x.v - 'attributes'), '{}'::jsonb)
             from jsonb_each(d.body -> 'read') x(k, v))) else '{}' end
      || case when d.body ? 'emitted' then jsonb_build_object('emitted', (
           select jsonb_agg(x.v || jsonb_build_object('payload',
                    loyalty.erased(x.v -> 'payload', _paths -> (x.v ->> 'kind'))) order by x.n)
             from jsonb_array_elements(d.body -> 'emitted') with ordinality x(v, n)))
         else '{}' end
   where d.tenant_id = _t and d.fact_id = any(page)
     and (d.body ? 'read' or d.body ? 'emitted');
  -- The note of a correction is the label of its posting.
  update loyalty.posting p set label = split_part(p.rule, ':', 2)
   where p.tenant_id = _t and p.fact_id = any(page) and p.kind = 'ADJUST'
     and p.rule like 'adjustment:%' and p.label is distinct from split_part(p.rule, ':', 2);
  update loyalty.erasure e set watermark = page[cardinality(page)]
   where e.tenant_id = _t and e.member_id = _member;
  return true;
end $f$;

do $$
declare f regprocedure;
begin
  for f in select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where n.nspname = 'loyalty' and p.proname in
              ('begin_erasure', 'erase_passing', 'erase_facts')
  loop
    execute format('revoke all on function %s from public', f);
    execute format('grant execute on function %s to loyalty_app, loyalty_worker', f);
    execute format('alter function %s owner to loyalty_ledger', f);
  end loop;
end $$;
grant execute on function loyalty.blank(jsonb, text[]), loyalty.erased(jsonb, jsonb),
  loyalty.pseudonym(text, text) to loyalty_app, loyalty_worker, loyalty_ledger;

-- How long a tenant keeps what is kept for a time only, where it is not as the installation says.
create table loyalty.retention (
  tenant_id uuid not null references loyalty.tenant,
  what text not null check (length(what) between 1 and 60),
  days integer not null check (days between 1 and 36500),
  updated_at timestamptz not null);
alter table loyalty.retention add primary key (tenant_id, what);
call loyalty.protect('retention');
grant select, insert, update (days, updated_at), delete on loyalty.retention to loyalty_app;
grant select on loyalty.retention to loyalty_worker, loyalty_audit;
grant delete on loyalty.inbox, loyalty.parked_return to loyalty_worker;
