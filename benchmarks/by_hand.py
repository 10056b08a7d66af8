"""The same rows by hand: what somebody would write who needs this one program and nothing else.

The rows hold what ours hold: the purchase with its defaults, the answer, the decision with its
inputs; `batches` looks that they do.

One statement locks and reads the accounts, one writes everything. No rules, no replays, no row
security, no refusals.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from benchmarks.stand import Brand
from loyalty.ids import account_id, new_id

LOCK = """
select a.id, a.balance, a.version from loyalty.account a
 where a.tenant_id = $1 and a.id = any($2) order by a.id for no key update
"""
WRITE = """
with given as materialized (
  select * from unnest($2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[],
    $8::uuid[], $9::bigint[], $10::bigint[], $11::bigint[], $12::uuid[], $13::uuid[])
    g(fact_id, key, member_id, payload, answer, body, account_id, amount, version, balance, lot_id,
      outbox_id)),
facts as (
  insert into loyalty.fact (tenant_id, id, kind, scope, key, member_id, occurred_at, recorded_at,
      epoch, actor, request_id, payload, answer)
  select $1, fact_id, 'PurchaseRecorded', 'purchase:till', key, member_id, $14, $14, 1, 'bench', '',
      payload::jsonb, answer::jsonb from given),
decisions as (
  insert into loyalty.decision (tenant_id, fact_id, body)
  select $1, fact_id, body::jsonb from given),
postings as (
  insert into loyalty.posting (tenant_id, fact_id, seq, unit, from_id, to_id, amount, to_version,
      to_balance, kind, program_id, rule, label, occurred_at, recorded_at)
  select $1, fact_id, 1, 'points', $15, account_id, amount, version, balance, 'GRANT', $16,
      'points/base', '1 point per dollar', $14, $14 from given),
lots as (
  insert into loyalty.lot (tenant_id, account_id, id, fact_id, program_id, rule, accounting_class,
      granted, remaining, occurred_at, available_at, expires_at)
  select $1, account_id, lot_id, fact_id, $16, 'points/base', 'MATERIAL_RIGHT', amount, amount, $14,
      $14, $17 from given),
told as (
  insert into loyalty.outbox (tenant_id, id, topic, fact_id, member_id, ready_at, recorded_at)
  select $1, outbox_id, 'PurchaseRecorded', fact_id, member_id, $14, $14 from given)
update loyalty.account a set balance = g.balance, version = g.version
  from (select account_id, max(balance) as balance, max(version) as version from given group by 1) g
 where a.tenant_id = $1 and a.id = g.account_id
"""


async def record(
    connection: Any, brand: Brand, baskets: Sequence[tuple[int, str, dict[str, Any]]]
) -> None:
    """Record baskets (number of the member, key, purchase as it was sent) in one transaction."""
    now = datetime.now(UTC)
    members = [brand.members[number % len(brand.members)] for number, _, _ in baskets]
    accounts = {m: account_id(brand.tenant_id, "MEMBER", m, "points", "main") for m in members}
    async with connection.transaction():
        rows = await connection.fetch(LOCK, brand.tenant_id, list(set(accounts.values())))
        holds = {row["id"]: [row["balance"], row["version"]] for row in rows}
        given = [
            _row(
                brand.program_id,
                member,
                accounts[member],
                holds[accounts[member]],
                key,
                purchase,
                now,
            )
            for member, (_, key, purchase) in zip(members, baskets, strict=True)
        ]
        issued = account_id(brand.tenant_id, "PROGRAM", brand.program_id, "points", "issued")
        await connection.execute(
            WRITE, brand.tenant_id, *(list(column) for column in zip(*given, strict=True)), now,
            issued, brand.program_id, now + timedelta(days=365),
        )  # fmt: skip


def _row(
    program_id: UUID,
    member: UUID,
    account: UUID,
    holds: list[int],
    key: str,
    purchase: dict[str, Any],
    now: datetime,
) -> tuple[Any, ...]:
    stored = _stored(purchase)
    amount = stored["total"] // 100
    holds[0] += amount
    holds[1] += 1
    at, ends = now.isoformat(), (now + timedelta(days=365)).isoformat()
    fact_id, lot_id = new_id(), new_id()
    earned = {
        "unit": "points", "amount": amount, "availableAt": at, "expiresAt": ends,
        "label": "1 point per dollar", "rule": "points/base",
    }  # fmt: skip
    balance = {"memberId": str(member), "unit": "points", "version": holds[1]}
    answer = {"state": "APPLIED", "earned": [earned], "balances": [balance]}
    grant = {
        "program": "points", "programId": str(program_id), "version": 1, "rule": "base",
        "label": "1 point per dollar", "stage": "BASE", "unit": "points", "wanted": amount,
        "granted": amount, "class": "MATERIAL_RIGHT", "back": "deficit",
        "lines": {line["id"]: line["amount"] // 100 for line in stored["lines"]},
        "inputs": {"currency": "USD", "base": "net", "amount": purchase["total"], "points": "1",
                   "per": "1.00"},
        "lot": str(lot_id), "owner": str(member),
    }  # fmt: skip
    payload, shown = orjson.dumps(stored).decode(), orjson.dumps(answer).decode()
    return (
        fact_id, key, member, payload, shown, orjson.dumps({"grants": [grant]}).decode(), account,
        amount, holds[1], holds[0], lot_id, new_id(),
    )  # fmt: skip


def _stored(purchase: dict[str, Any]) -> dict[str, Any]:
    """A purchase as it is kept: amounts in cents, and what was not said filled in."""
    total = _cents(purchase["total"])
    return {
        "occurred_at": purchase["occurredAt"],
        "source": purchase["source"],
        "external_id": purchase["externalId"],
        "revision": 1,
        "currency": purchase["currency"],
        "total": total,
        "tax_included": True,
        "lines": [
            {
                "id": line["id"],
                "amount": _cents(line["amount"]),
                "discount": _cents(line["discount"]),
                "tax": 0,
                "quantity": 1000 * int(line["quantity"]),
                "sku": line["sku"],
                "category": line["category"],
                "brand": line["brand"],
                "kind": "PRODUCT",
                "attributes": {},
            }
            for line in purchase["lines"]
        ],
        "tenders": [{"kind": "OTHER", "amount": total, "name": None, "redemption_id": None}],
        "attributes": {},
    }


def _cents(text: str) -> int:
    return int(text.replace(".", ""))
