"""Whether two ways wrote the same rows: a purchase of each, its rows and the shape of its JSON."""

from typing import Any

import orjson

from benchmarks.stand import Brand

NEWEST = """
select f.id, f.member_id, f.payload, f.answer, d.body
  from loyalty.fact f join loyalty.decision d on (d.tenant_id, d.fact_id) = (f.tenant_id, f.id)
 where f.tenant_id = $1 and f.kind = 'PurchaseRecorded' order by f.id desc limit 1
"""
JSON = ("payload", "answer", "body")
OWN = """
  from loyalty.fact f join loyalty.account a on a.tenant_id = $1 and a.owner_id = f.member_id
"""
ROWS = {
    "postings": """select seq, kind, rule, label, amount from loyalty.posting
 where tenant_id = $1 and fact_id = $2 order by seq""",
    "lots": """select rule, accounting_class, granted, remaining, expires_at - available_at
  from loyalty.lot where tenant_id = $1 and fact_id = $2 order by rule""",
    "outbox": "select topic, state from loyalty.outbox where tenant_id = $1 and fact_id = $2",
    # How far what was counted, and what its postings say, is from what the member has.
    "counters": f"""select c.name, c.bucket, c.value - a.balance {OWN}
  join loyalty.counter c on c.tenant_id = $1 and c.member_id = f.member_id
 where f.tenant_id = $1 and f.id = $2 order by c.name, c.bucket""",
    "account": f"""select a.balance - sum(p.amount), a.balance - max(p.to_balance),
       a.version - count(*), a.version - max(p.to_version) {OWN}
  join loyalty.posting p on p.tenant_id = $1 and p.to_id = a.id
 where f.tenant_id = $1 and f.id = $2 group by a.id, a.balance, a.version""",
}


async def look(connection: Any, *brands: Brand) -> None:
    """Compare the newest purchase of two brands, each of which is the newest of its member.

    :raises RuntimeError: one has other rows or other fields than the other
    """
    ours, theirs = [await _kept(connection, brand) for brand in brands]
    for name, kept in ours.items():
        if kept != theirs[name]:
            raise RuntimeError(f"not the same {name}: {kept} and {theirs[name]}")


async def _kept(connection: Any, brand: Brand) -> dict[str, Any]:
    fact = await connection.fetchrow(NEWEST, brand.tenant_id)
    found: dict[str, Any] = {name: _fields(orjson.loads(fact[name])) for name in JSON}
    for name, query in ROWS.items():
        rows = await connection.fetch(query, brand.tenant_id, fact["id"])
        found[name] = [tuple(row.values()) for row in rows]
    return found


def _fields(value: Any) -> Any:
    """The shape of JSON: its keys, every item of its lists, and what kind each value is."""
    if isinstance(value, dict):
        return {key: _fields(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_fields(item) for item in value]
    return type(value).__name__
