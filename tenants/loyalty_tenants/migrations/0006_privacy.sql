-- What is told outside and what staff noted about a member, for who is erased; and the trail of
-- admins by what was done and to what.

grant update (body) on loyalty.webhook_event to loyalty_ledger;
grant select on loyalty.webhook_event, loyalty.webhook_delivery to loyalty_ledger;
grant select, update (details, actor) on loyalty.audit_entry to loyalty_ledger;
grant select, update (named_by, member, note) on loyalty.bulk_adjustment_item to loyalty_ledger;
-- Who asks for all that is held about a member is shown what was told of them, and of nobody else:
-- the API's login reads no bodies otherwise.
create function loyalty.told_of(_member uuid) returns setof loyalty.webhook_event
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select e.* from loyalty.webhook_event e
   where e.tenant_id = loyalty.tenant() and e.id in (
     select d.event_id from loyalty.webhook_delivery d
      where d.tenant_id = loyalty.tenant() and d.line = _member)
$$;
revoke all on function loyalty.told_of(uuid) from public;
grant execute on function loyalty.told_of(uuid) to loyalty_app, loyalty_worker;
alter function loyalty.told_of(uuid) owner to loyalty_ledger;

-- `_names` are those that the member had, `_paths` what is personal in each topic.
create function loyalty.erase_told(_t uuid, _member uuid, _names text[], _paths jsonb)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $f$
begin
  if _t is distinct from loyalty.tenant() or not exists (
      select from loyalty.erasure e where e.tenant_id = _t and e.member_id = _member) then
    raise exception 'nobody asked to erase this member' using errcode = '42501';
  end if;
  -- Whoever is just putting the outbox into words has read the names already: after them.
  perform pg_advisory_xact_lock(hashtextextended('outbox ' || _t, 0));
  update loyalty.webhook_event e
     set body = (loyalty.erased(jsonb_set(e.body::jsonb, '{data,member,externalId}',
                   to_jsonb('erased:' || _member), false), _paths -> e.topic) - '$erased')::text
    from (select distinct d.event_id from loyalty.webhook_delivery d
           where d.tenant_id = _t and d.line = _member) d
   where e.tenant_id = _t and e.id = d.event_id;
  -- Who did what and when stays; what they wrote about the member does not.
  update loyalty.audit_entry a
     set details = loyalty.erased(a.details, '["reason", "note"]') - '$erased'
   where a.tenant_id = _t and a.subject = 'member:' || _member
     and a.details ?| array['reason', 'note'];
  update loyalty.audit_entry a set actor = 'erased:' || _member
   where a.tenant_id = _t and a.role = 'MEMBER' and a.actor = any(_names);
  update loyalty.bulk_adjustment_item i
     set named_by = 'id', member = _member::text, note = ''
   where i.tenant_id = _t and (
     i.member = _member::text or (i.named_by <> 'id' and i.member = any(_names))
     or i.fact_id in (select f.id from loyalty.fact f
                       where f.tenant_id = _t and f.member_id = _member));
end $f$;
revoke all on function loyalty.erase_told(uuid, uuid, text[], jsonb) from public;
grant execute on function loyalty.erase_told(uuid, uuid, text[], jsonb)
  to loyalty_app, loyalty_worker;
alter function loyalty.erase_told(uuid, uuid, text[], jsonb) owner to loyalty_ledger;

-- Entries end when the tenant's time for them is over.
grant select, delete on loyalty.audit_entry to loyalty_worker;
-- A trail is short and written by hand: nobody waits for long while these are built.
-- squawk-ignore require-concurrent-index-creation
create index audit_entry_age on loyalty.audit_entry (tenant_id, at);
-- squawk-ignore require-concurrent-index-creation
create index audit_entry_subject on loyalty.audit_entry (tenant_id, subject, id);
-- squawk-ignore require-concurrent-index-creation
create index audit_entry_action on loyalty.audit_entry (tenant_id, action, id);
