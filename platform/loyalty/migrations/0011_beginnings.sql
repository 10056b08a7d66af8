-- Where a lot begins may be moved as well as where it ends: points that wait for their activation
-- become usable when it comes. Such a term is a version of its account like any other, so it stands
-- in the same chain; a term that moves only the end leaves both columns empty.

alter table loyalty.lot_term add column available_at timestamptz;
alter table loyalty.lot_term add column previously_available_at timestamptz;
alter table loyalty.lot_term add constraint lot_term_beginning
  check ((available_at is null) = (previously_available_at is null));

create type loyalty.term_given as (account_id uuid, lot_id uuid, fact_id uuid,
  expires_at timestamptz, previous timestamptz, occurred_at timestamptz, available_at timestamptz,
  previously_available_at timestamptz);

-- All terms of a batch that moves a beginning, in the order in which the batch gave them. `append`
-- does the same for a batch that moves ends only, which is nearly every one that gives terms.
create function loyalty.give_terms(_t uuid, _at timestamptz, _terms loyalty.term_given[])
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
  as $f$
declare told record; term record;
begin
  if _t is distinct from loyalty.tenant() then
    raise exception 'not the tenant of this transaction' using errcode = '42501';
  end if;
  insert into loyalty.lot_term (tenant_id, account_id, lot_id, fact_id, expires_at, previous,
      occurred_at, available_at, previously_available_at, recorded_at, version)
    select _t, x.account_id, x.lot_id, x.fact_id, x.expires_at, x.previous, x.occurred_at,
        x.available_at, x.previously_available_at, _at,
        a.terms + row_number() over (partition by x.account_id order by x.ordinality)
      from unnest(_terms) with ordinality x cross join lateral (
        select a.terms from loyalty.account a
         where a.tenant_id = _t and a.id = x.account_id limit 1) a;
  for told in select x.account_id, count(*) as n from unnest(_terms) x group by 1 loop
    update loyalty.account a set terms = a.terms + told.n
     where a.tenant_id = _t and a.id = told.account_id;
  end loop;
  for term in
    select x.account_id, x.lot_id,
           (array_agg(x.expires_at order by x.ordinality desc))[1] as expires_at,
           (array_agg(x.available_at order by x.ordinality desc)
              filter (where x.available_at is not null))[1] as available_at
      from unnest(_terms) with ordinality x group by 1, 2
  loop
    update loyalty.lot l set expires_at = term.expires_at,
        available_at = coalesce(term.available_at, l.available_at)
     where l.tenant_id = _t and l.account_id = term.account_id and l.id = term.lot_id;
    if not found then
      raise exception 'a term is given to a lot that is not there' using errcode = '22000';
    end if;
  end loop;
end $f$;

revoke all on function loyalty.give_terms(uuid, timestamptz, loyalty.term_given[]) from public;
grant execute on function loyalty.give_terms(uuid, timestamptz, loyalty.term_given[])
  to loyalty_app, loyalty_worker;
alter function loyalty.give_terms(uuid, timestamptz, loyalty.term_given[]) owner to loyalty_ledger;
