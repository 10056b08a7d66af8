"""Orders of corrections, kept under one key each: asked for, begun, read back.

One correction that needs a second person is such an order of one item.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.facts import MemberRef
from loyalty.ids import new_id
from loyalty.jobs import schedule
from loyalty.plugin import Connection
from loyalty_tenants import audit
from loyalty_tenants.desk import approvals
from loyalty_tenants.desk.approvals import ApprovalKind
from loyalty_tenants.desk.orders import (
    Bulk,
    BulkState,
    Caller,
    Item,
    ItemState,
    Order,
    Wanted,
    digest,
    named,
    replayed,
)
from loyalty_tenants.desk.policy import policy

JOB = "bulk"

COLUMNS = """b.id, b.client, b.key, b.digest, b.unit, b.reason_code, b.label, b.expires_at,
  b.expires_after, b.expires_end, b.allow_deficit, b.state, b.approval_id, b.actor, b.request_id,
  b.by_operator, b.items, b.gives, b.takes, b.created_at, b.effective_at, b.done_at"""
_BY_ID = f"select {COLUMNS} from loyalty.bulk_adjustment b where b.id = $1"


async def by_key(connection: Connection, client: str, key: str) -> Bulk | None:
    row = await connection.fetchrow(
        f"select {COLUMNS} from loyalty.bulk_adjustment b where b.client = $1 and b.key = $2",
        client, key,
    )  # fmt: skip
    return None if row is None else _bulk(row)


async def by_id(connection: Connection, bulk_id: UUID) -> Bulk | None:
    row = await connection.fetchrow(_BY_ID, bulk_id)
    return None if row is None else _bulk(row)


async def locked(connection: Connection, bulk_id: UUID) -> Bulk | None:
    """As it is, and stays until the transaction ends: it may be approved once more meanwhile."""
    row = await connection.fetchrow(f"{_BY_ID} for no key update", bulk_id)
    return None if row is None else _bulk(row)


async def place(
    connection: Connection,
    caller: Caller,
    order: Order,
    *,
    key: str,
    kind: ApprovalKind = ApprovalKind.BULK_ADJUSTMENT,
    waits: bool = False,
    now: datetime,
) -> Bulk:
    """Keep an order: it runs at once, or waits for a second person where it is above the
    tenant's threshold or `waits` says so.

    :raises Refused: IDEMPOTENCY_MISMATCH
    """
    rule = await policy(connection)
    above = rule.above.get(order.unit)
    waits = waits or (above is not None and order.gives + order.takes > above)
    bulk_id = new_id()
    if not await _insert(connection, caller, bulk_id, order, key, waits=waits, now=now):
        known = await by_key(connection, caller.client, key)
        assert known is not None
        return replayed(known, order)
    await _insert_items(connection, bulk_id, order.items)
    if waits:
        asked = await approvals.ask(
            connection, caller.actor, caller.client,
            kind=kind, subject=f"bulk:{bulk_id}", body=_told(bulk_id, order),
            lifetime=rule.lifetime, now=now,
        )  # fmt: skip
        await connection.execute(
            "update loyalty.bulk_adjustment set approval_id = $2 where id = $1", bulk_id, asked.id
        )
    else:
        await schedule.soon(connection, f"{JOB}:{bulk_id}", now)
    if kind is ApprovalKind.BULK_ADJUSTMENT:
        await audit.write(
            connection, caller.actor, action="balances.adjust", subject=f"bulk:{bulk_id}",
            details=_told(bulk_id, order), now=now,
        )  # fmt: skip
    placed = await by_id(connection, bulk_id)
    assert placed is not None
    return placed


async def begin(connection: Connection, bulk_id: UUID, now: datetime) -> None:
    """It was approved: from now on it runs; once more, where all of it was refused before."""
    await connection.execute(
        """update loyalty.bulk_adjustment set state = 'RUNNING', effective_at = $2, done_at = null
            where id = $1 and state in ('WAITING', 'DONE')""",
        bulk_id, now,
    )  # fmt: skip
    await connection.execute(
        """update loyalty.bulk_adjustment_item set state = 'WAITING', refusal = null
            where bulk_id = $1 and state = 'REFUSED'""",
        bulk_id,
    )
    await schedule.soon(connection, f"{JOB}:{bulk_id}", now)


async def cancel(connection: Connection, bulk_id: UUID) -> None:
    await connection.execute(
        """update loyalty.bulk_adjustment set state = 'CANCELLED', effective_at = null
            where id = $1 and state in ('WAITING', 'DONE')""",
        bulk_id,
    )


async def items(
    connection: Connection,
    bulk_id: UUID,
    *,
    state: ItemState | None = None,
    beyond: int | None = None,
    count: int,
    backward: bool = False,
) -> Sequence[Item]:
    """Items in their order, `count` of them beyond a place; of one state, or of all."""
    side, order = ("<", "desc") if backward else (">", "asc")
    rows = await connection.fetch(
        f"""select seq, named_by, member, amount, note, state, fact_id, refusal
             from loyalty.bulk_adjustment_item
            where bulk_id = $1 and ($2::text is null or state = $2)
              and ($3::integer is null or seq {side} $3) order by seq {order} limit $4""",
        bulk_id, None if state is None else state.value, beyond, count,
    )  # fmt: skip
    return [_item(row) for row in rows]


async def totals(
    connection: Connection, ids: Sequence[UUID]
) -> Mapping[UUID, Mapping[ItemState, tuple[int, int, int]]]:
    """By order and state: how many items, what they give, what they take. One statement."""
    rows = await connection.fetch(
        """select bulk_id, state, count(*) as items,
                  coalesce(sum(amount) filter (where amount > 0), 0)::bigint as gives,
                  coalesce(-sum(amount) filter (where amount < 0), 0)::bigint as takes
             from loyalty.bulk_adjustment_item where bulk_id = any($1) group by 1, 2""",
        list(ids),
    )
    found: dict[UUID, dict[ItemState, tuple[int, int, int]]] = {one: {} for one in ids}
    for row in rows:
        found[row["bulk_id"]][ItemState(row["state"])] = (row["items"], row["gives"], row["takes"])
    return found


async def page(
    connection: Connection, *, beyond: UUID | None, count: int, backward: bool = False
) -> Sequence[Bulk]:
    """Orders, newest first."""
    side, order = (">", "asc") if backward else ("<", "desc")
    rows = await connection.fetch(
        f"""select {COLUMNS} from loyalty.bulk_adjustment b
             where $1::uuid is null or b.id {side} $1 order by b.id {order} limit $2""",
        beyond, count,
    )  # fmt: skip
    return [_bulk(row) for row in rows]


def _told(bulk_id: UUID, order: Order) -> dict[str, Any]:
    return {
        "bulk": str(bulk_id), "unit": order.unit, "reasonCode": order.reason_code,
        "items": len(order.items), "gives": order.gives, "takes": order.takes,
    }  # fmt: skip


async def _insert(
    connection: Connection,
    caller: Caller,
    bulk_id: UUID,
    order: Order,
    key: str,
    *,
    waits: bool,
    now: datetime,
) -> bool:
    status = await connection.execute(
        """insert into loyalty.bulk_adjustment (tenant_id, id, client, key, digest, unit,
             reason_code, label, expires_at, expires_after, expires_end, allow_deficit, state,
             actor, request_id, by_operator, items, gives, takes, created_at, effective_at)
           values (loyalty.tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
             $15, $16, $17, $18, $19, $20)
           on conflict (tenant_id, client, key) do nothing""",
        bulk_id, caller.client, key, digest(order), order.unit, order.reason_code, order.label,
        order.expires_at, order.expires_after, order.expires_end, order.allow_deficit,
        "WAITING" if waits else "RUNNING", caller.name, caller.actor.request_id or "",
        caller.operator, len(order.items), order.gives, order.takes, now, None if waits else now,
    )  # fmt: skip
    return status == "INSERT 0 1"


async def _insert_items(connection: Connection, bulk_id: UUID, wanted: Sequence[Wanted]) -> None:
    names = [named(item.member) for item in wanted]
    await connection.execute(
        """insert into loyalty.bulk_adjustment_item
             (tenant_id, bulk_id, seq, named_by, member, amount, note)
           select loyalty.tenant(), $1, x.seq - 1, x.named_by, x.member, x.amount, x.note
             from unnest($2::text[], $3::text[], $4::bigint[], $5::text[]) with ordinality
               x(named_by, member, amount, note, seq)""",
        bulk_id, [kind for kind, _ in names], [name for _, name in names],
        [item.amount for item in wanted], [item.note for item in wanted],
    )  # fmt: skip


def _bulk(row: Any) -> Bulk:
    values = dict(row)
    return Bulk(
        **{**values, "state": BulkState(values["state"]), "digest": bytes(values["digest"])}
    )


def _item(row: Any) -> Item:
    values = dict(row)
    kind, name = values.pop("named_by"), values.pop("member")
    member = MemberRef(id=UUID(name)) if kind == "id" else MemberRef(**{kind: name})
    return Item(**{**values, "state": ItemState(values["state"]), "member": member})
