-- Partnerships. What two tenants share stands twice: a half for each, with one id, in its own words
-- ("give" is what goes out from here). Neither reads the other's.
create table loyalty.partners_agreement (
  tenant_id uuid not null,
  id uuid not null,
  kind text not null check (kind in ('EXCHANGE', 'ISSUING', 'COALITION')),
  partner text not null check (length(partner) between 1 and 60),
  partner_tenant_id uuid,
  program_id uuid not null,
  unit text,
  partner_unit text check (unit is not null or partner_unit is not null),
  proposed_here boolean not null,
  state text not null check (state in ('PROPOSED', 'ACTIVE', 'SUSPENDED', 'ENDED')),
  suspended_here boolean not null default false,
  suspended_there boolean not null default false,
  created_at timestamptz not null,
  accepted_at timestamptz,
  ended_at timestamptz check ((ended_at is not null) = (state = 'ENDED')),
  foreign key (tenant_id, program_id) references loyalty.program (tenant_id, id),
  foreign key (tenant_id, unit) references loyalty.unit (tenant_id, code));
create index partners_agreement_program on loyalty.partners_agreement (tenant_id, program_id);
create index partners_agreement_partner on loyalty.partners_agreement (tenant_id, partner);
alter table loyalty.partners_agreement add primary key (tenant_id, id);

-- Dated and numbered; what was accepted never changes.
create table loyalty.partners_terms (
  tenant_id uuid not null,
  agreement_id uuid not null,
  number integer not null check (number > 0),
  terms jsonb not null,
  effective_from timestamptz not null,
  state text not null check (state in ('PROPOSED', 'ACCEPTED', 'WITHDRAWN')),
  proposed_here boolean not null,
  proposed_at timestamptz not null,
  decided_at timestamptz check ((decided_at is null) = (state = 'PROPOSED')));
alter table loyalty.partners_terms add primary key (tenant_id, agreement_id, number);
alter table loyalty.partners_terms add foreign key (tenant_id, agreement_id)
  references loyalty.partners_agreement (tenant_id, id);

-- A member of ours who is also one of the partner's, and proved it.
create table loyalty.partners_link (
  tenant_id uuid not null,
  id uuid not null,
  agreement_id uuid not null,
  member_id uuid not null,
  state text not null check (state in ('ACTIVE', 'ENDED')),
  created_at timestamptz not null,
  ended_at timestamptz check ((ended_at is not null) = (state = 'ENDED')),
  foreign key (tenant_id, member_id) references loyalty.member,
  foreign key (tenant_id, agreement_id) references loyalty.partners_agreement (tenant_id, id));
create unique index partners_link_member on loyalty.partners_link
  (tenant_id, agreement_id, member_id) where state = 'ACTIVE';
alter table loyalty.partners_link add primary key (tenant_id, id);

-- One code of a member at a time; only its hash is kept.
create table loyalty.partners_link_code (
  tenant_id uuid not null,
  agreement_id uuid not null,
  member_id uuid not null,
  hash bytea not null check (octet_length(hash) = 32),
  expires_at timestamptz not null,
  foreign key (tenant_id, member_id) references loyalty.member,
  foreign key (tenant_id, agreement_id) references loyalty.partners_agreement (tenant_id, id));
create index partners_link_code_hash on loyalty.partners_link_code (tenant_id, agreement_id, hash);
alter table loyalty.partners_link_code add primary key (tenant_id, agreement_id, member_id);

-- Codes that were tried and were none, by hour.
create table loyalty.partners_link_failure (
  tenant_id uuid not null,
  client text not null,
  hour timestamptz not null,
  failures integer not null check (failures > 0));
alter table loyalty.partners_link_failure add primary key (tenant_id, client, hour);

-- What a member was promised, until when. An exchange has the id of its quote.
create table loyalty.partners_quote (
  tenant_id uuid not null,
  id uuid not null,
  agreement_id uuid not null,
  link_id uuid not null,
  member_id uuid not null,
  terms integer not null,
  offered bigint not null check (offered > 0),
  burned bigint not null check (burned > 0),
  fee bigint not null check (fee >= 0),
  credited bigint not null check (credited > 0),
  owed bigint not null check (owed >= 0),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  check (burned + fee <= offered),
  foreign key (tenant_id, member_id) references loyalty.member);
create index partners_quote_age on loyalty.partners_quote (tenant_id, expires_at);
alter table loyalty.partners_quote add primary key (tenant_id, id);

-- The clearing account with a partner, line by line. Points are ours; `amount` and `charge` are
-- minor units of the currency, more than nothing where the partner owes us. Lines never change: what
-- undoes or corrects one is another, which names it (`of_id`).
create table loyalty.partners_movement (
  tenant_id uuid not null,
  id uuid not null,
  agreement_id uuid not null,
  kind text not null check (kind in
    ('EXCHANGE', 'ISSUE', 'EARN', 'BURN', 'REVERSAL', 'CORRECTION', 'PACK', 'SETTLEMENT')),
  of_id uuid,
  link_id uuid,
  member_id uuid,
  fact_id uuid,
  unit text,
  points_out bigint not null default 0,
  points_in bigint not null default 0,
  fee bigint not null default 0,
  partner_points bigint not null default 0,
  currency text not null check (length(currency) = 3),
  amount bigint not null,
  charge bigint not null default 0,
  carried bigint,
  base bigint,
  terms integer not null,
  ref text check (length(ref) between 1 and 200),
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  check ((of_id is not null) = (kind in ('REVERSAL', 'CORRECTION', 'SETTLEMENT'))),
  foreign key (tenant_id, member_id) references loyalty.member,
  foreign key (tenant_id, agreement_id) references loyalty.partners_agreement (tenant_id, id));
create index partners_movement_time on loyalty.partners_movement
  (tenant_id, agreement_id, occurred_at, id);
create index partners_movement_member on loyalty.partners_movement
  (tenant_id, member_id, agreement_id, occurred_at) where member_id is not null;
create index partners_movement_of on loyalty.partners_movement (tenant_id, of_id)
  where of_id is not null;
alter table loyalty.partners_movement add primary key (tenant_id, id);

-- A period's account as one side proposed it. Its figures are those of the lines at that time.
create table loyalty.partners_statement (
  tenant_id uuid not null,
  id uuid not null,
  agreement_id uuid not null,
  since timestamptz not null,
  before timestamptz not null check (since < before),
  currency text not null check (length(currency) = 3),
  opening bigint not null,
  movements bigint not null,
  fees bigint not null,
  payments bigint not null,
  disputes bigint not null,
  net bigint not null,
  lines bigint not null,
  state text not null check (state in ('PROPOSED', 'AGREED', 'DISPUTED', 'SETTLED')),
  proposed_here boolean not null,
  proposed_at timestamptz not null,
  agreed_at timestamptz,
  settled_at timestamptz check ((settled_at is not null) = (state = 'SETTLED')),
  payment_ref text check (length(payment_ref) between 1 and 200),
  check (net = opening + movements + fees + payments + disputes),
  foreign key (tenant_id, agreement_id) references loyalty.partners_agreement (tenant_id, id));
create unique index partners_statement_period on loyalty.partners_statement
  (tenant_id, agreement_id, since);
alter table loyalty.partners_statement add primary key (tenant_id, id);

create table loyalty.partners_dispute (
  tenant_id uuid not null,
  id uuid not null,
  agreement_id uuid not null,
  movement_id uuid not null,
  raised_here boolean not null,
  reason text not null check (length(reason) between 1 and 1000),
  state text not null check (state in ('OPEN', 'WITHDRAWN', 'ACCEPTED')),
  raised_at timestamptz not null,
  decided_at timestamptz check ((decided_at is null) = (state = 'OPEN')),
  foreign key (tenant_id, movement_id) references loyalty.partners_movement (tenant_id, id));
create unique index partners_dispute_open on loyalty.partners_dispute (tenant_id, movement_id)
  where state = 'OPEN';
create index partners_dispute_agreement on loyalty.partners_dispute (tenant_id, agreement_id, id);
alter table loyalty.partners_dispute add primary key (tenant_id, id);

-- Points that an outside brand bought ahead: what each pack is worth to the books is fixed then.
create table loyalty.partners_pack (
  tenant_id uuid not null,
  id uuid not null,
  agreement_id uuid not null,
  key text not null check (length(key) between 1 and 128),
  points bigint not null check (points > 0),
  currency text not null check (length(currency) = 3),
  amount bigint not null check (amount >= 0),
  liability bigint not null check (liability between 0 and amount),
  bought_at timestamptz not null,
  foreign key (tenant_id, agreement_id) references loyalty.partners_agreement (tenant_id, id));
create unique index partners_pack_key on loyalty.partners_pack (tenant_id, agreement_id, key);
alter table loyalty.partners_pack add primary key (tenant_id, id);

-- Points of packs that an outside brand has not given yet; whoever gives locks the row.
create table loyalty.partners_fund (
  tenant_id uuid not null,
  agreement_id uuid not null,
  points bigint not null check (points >= 0),
  foreign key (tenant_id, agreement_id) references loyalty.partners_agreement (tenant_id, id));
alter table loyalty.partners_fund add primary key (tenant_id, agreement_id);

do $$
declare t text;
begin
  foreach t in array array['agreement', 'terms', 'link', 'link_code', 'link_failure', 'quote',
    'movement', 'statement', 'dispute', 'pack', 'fund']
  loop
    call loyalty.protect('partners_' || t);
    execute format('grant select on loyalty.partners_%I to loyalty_app, loyalty_worker', t);
    execute format('grant insert on loyalty.partners_%I to loyalty_app', t);
  end loop;
end $$;
grant insert on loyalty.partners_movement to loyalty_worker;
grant update (points) on loyalty.partners_fund to loyalty_app, loyalty_worker;
grant update (state, suspended_here, suspended_there, accepted_at, ended_at)
  on loyalty.partners_agreement to loyalty_app;
-- Funds are counted under a lock of their agreement, and a row's lock needs a right to update it.
grant update (state) on loyalty.partners_agreement to loyalty_worker;
grant update (state, effective_from, decided_at) on loyalty.partners_terms to loyalty_app;
grant update (state, ended_at) on loyalty.partners_link to loyalty_app;
grant update (hash, expires_at), delete on loyalty.partners_link_code to loyalty_app;
grant update (failures), delete on loyalty.partners_link_failure to loyalty_app;
grant delete on loyalty.partners_quote to loyalty_app;
grant update on loyalty.partners_statement to loyalty_app;
grant update (state, decided_at) on loyalty.partners_dispute to loyalty_app;

-- The auditor reads no codes.
grant select on loyalty.partners_agreement, loyalty.partners_terms, loyalty.partners_link,
  loyalty.partners_movement, loyalty.partners_statement, loyalty.partners_dispute,
  loyalty.partners_pack, loyalty.partners_fund to loyalty_audit;

-- Whether the rates in force and to come lead from a unit of the agreement around through other
-- brands and back to more than one began with. It must look at everybody's rates, so it says yes or
-- no and nothing else. Each half is an edge: so much of ours becomes so much of the partner's.
create policy queue_reads on loyalty.partners_agreement for select to loyalty_queue using (true);
create policy queue_reads on loyalty.partners_terms for select to loyalty_queue using (true);
grant select (tenant_id, id, kind, partner_tenant_id, unit, partner_unit, state)
  on loyalty.partners_agreement to loyalty_queue;
grant select (tenant_id, agreement_id, number, terms, effective_from, state)
  on loyalty.partners_terms to loyalty_queue;
create function loyalty.partners_gain(_agreement uuid, _now timestamptz) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with recursive edge as (
    select a.id, a.tenant_id || ':' || a.unit as source,
           a.partner_tenant_id || ':' || a.partner_unit as target,
           (t.terms #>> '{give,burn}')::numeric as burned,
           (t.terms #>> '{give,credit}')::numeric as credited
      from loyalty.partners_agreement a join loyalty.partners_terms t
        on (t.tenant_id, t.agreement_id) = (a.tenant_id, a.id)
     where a.kind = 'EXCHANGE' and a.state in ('ACTIVE', 'SUSPENDED') and t.state = 'ACCEPTED'
       and t.terms #>> '{give,burn}' is not null and a.partner_tenant_id is not null
       and not exists (
         select from loyalty.partners_terms n
          where (n.tenant_id, n.agreement_id, n.state) = (a.tenant_id, a.id, 'ACCEPTED')
            and n.effective_from <= _now
            and (n.effective_from, n.number) > (t.effective_from, t.number))),
  walk as (
    select e.source, e.target, e.burned, e.credited, array[e.target] as seen
      from edge e where e.id = _agreement
    union all
    select w.source, e.target, w.burned * e.burned, w.credited * e.credited, w.seen || e.target
      from walk w join edge e on e.source = w.target
     where w.target <> w.source and cardinality(w.seen) < 8 and e.target <> all (w.seen))
  select exists (select from walk w where w.target = w.source and w.credited > w.burned)
$$;
revoke all on function loyalty.partners_gain(uuid, timestamptz) from public;
grant execute on function loyalty.partners_gain(uuid, timestamptz) to loyalty_app;
alter function loyalty.partners_gain(uuid, timestamptz) owner to loyalty_queue;
