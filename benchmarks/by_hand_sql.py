"""The statements of `by_hand`: where every purchase is given one grant, and where it is several."""

LOCK = """
select a.id, a.balance, a.version from loyalty.account a
 where a.tenant_id = $1 and a.id = any($2) order by a.id for no key update
"""
LOCK_AND_COUNT = """
select a.id, a.balance, a.version, (
  select coalesce(sum(c.value), 0)::bigint from loyalty.counter c
   where c.tenant_id = $1 and c.name = $3 and c.member_id = a.owner_id and c.bucket >= $4)
  from loyalty.account a
 where a.tenant_id = $1 and a.id = any($2) order by a.id for no key update
"""
ONE = """
with given as materialized (
  select * from unnest($6::uuid[], $7::text[], $8::uuid[], $9::text[], $10::text[], $11::text[],
    $12::uuid[], $13::uuid[], $14::bigint[], $15::bigint[], $16::bigint[], $17::uuid[])
    g(fact_id, key, member_id, payload, answer, body, outbox_id, account_id, amount, version,
      balance, lot_id)),
grants as not materialized (
  select *, 1 as seq, 'points/base' as rule, '1 point per dollar' as label,
      'MATERIAL_RIGHT' as accounting_class from given),
"""
SEVERAL = """
with given as materialized (
  select * from unnest($6::uuid[], $7::text[], $8::uuid[], $9::text[], $10::text[], $11::text[],
    $12::uuid[], $13::bigint[])
    g(fact_id, key, member_id, payload, answer, body, outbox_id, earned)),
grants as materialized (
  select * from unnest($14::uuid[], $15::bigint[], $16::bigint[], $17::bigint[], $18::uuid[],
    $19::uuid[], $20::smallint[], $21::text[], $22::text[], $23::text[])
    g(account_id, amount, version, balance, lot_id, fact_id, seq, rule, label, accounting_class)),
counted as (
  insert into loyalty.counter as c (tenant_id, name, member_id, bucket, value)
  select $1, $24, member_id, $25, sum(earned) from given group by member_id
  on conflict (tenant_id, name, member_id, bucket) do update set value = c.value + excluded.value),
"""
ROWS = """
facts as (
  insert into loyalty.fact (tenant_id, id, kind, scope, key, member_id, occurred_at, recorded_at,
      epoch, actor, request_id, payload, answer)
  select $1, fact_id, 'PurchaseRecorded', 'purchase:till', key, member_id, $2, $2, 1, 'bench', '',
      payload::jsonb, answer::jsonb from given),
decisions as (
  insert into loyalty.decision (tenant_id, fact_id, body)
  select $1, fact_id, body::jsonb from given),
postings as (
  insert into loyalty.posting (tenant_id, fact_id, seq, unit, from_id, to_id, amount, to_version,
      to_balance, kind, program_id, rule, label, occurred_at, recorded_at)
  select $1, fact_id, seq, 'points', $3, account_id, amount, version, balance, 'GRANT', $4, rule,
      label, $2, $2 from grants),
lots as (
  insert into loyalty.lot (tenant_id, account_id, id, fact_id, program_id, rule, accounting_class,
      granted, remaining, occurred_at, available_at, expires_at)
  select $1, account_id, lot_id, fact_id, $4, rule, accounting_class, amount, amount, $2, $2, $5
      from grants),
told as (
  insert into loyalty.outbox (tenant_id, id, topic, fact_id, member_id, ready_at, recorded_at)
  select $1, outbox_id, 'PurchaseRecorded', fact_id, member_id, $2, $2 from given)
update loyalty.account a set balance = g.balance, version = g.version
  from (select account_id, max(balance) as balance, max(version) as version from grants
         group by 1) g
 where a.tenant_id = $1 and a.id = g.account_id
"""
WRITE, WRITE_SEVERAL = ONE + ROWS, SEVERAL + ROWS
