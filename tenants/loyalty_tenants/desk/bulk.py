"""Corrections of many members under one key: kept as they were asked for, then settled in slices.

One correction that needs a second person is such an order of one item.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from loyalty.commands import AdjustBalance
from loyalty.errors import Code, Refused
from loyalty.facts import FactKey, MemberRef
from loyalty.ids import new_id
from loyalty.jobs import schedule
from loyalty.plugin import Connection
from loyalty.settlement.request import Request
from loyalty_tenants import audit
from loyalty_tenants.desk import approvals
from loyalty_tenants.desk.approvals import ApprovalKind
from loyalty_tenants.desk.policy import policy
from loyalty_tenants.principal import Actor

JOB = "bulk"
SCOPE = "bulk"  # of the facts' keys


class BulkState(StrEnum):
    WAITING = "WAITING"  # for a second person
    RUNNING = "RUNNING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


class ItemState(StrEnum):
    WAITING = "WAITING"
    DONE = "DONE"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One member's correction: `amount` in minor units, negative to take; `note` is their label."""

    member: MemberRef
    amount: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be corrected and why. `label` is what members read where an item has no note."""

    unit: str
    reason_code: str
    label: str
    items: Sequence[Wanted]
    expires_at: datetime | None = None
    expires_after: str | None = None
    expires_end: str = "exact"
    allow_deficit: bool = False

    @property
    def gives(self) -> int:
        return sum(item.amount for item in self.items if item.amount > 0)

    @property
    def takes(self) -> int:
        return -sum(item.amount for item in self.items if item.amount < 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """An order as it is kept. `digest` is of what was asked."""

    id: UUID
    client: str
    key: str
    digest: bytes
    unit: str
    reason_code: str
    label: str
    expires_at: datetime | None
    expires_after: str | None
    expires_end: str
    allow_deficit: bool
    state: BulkState
    approval_id: UUID | None
    actor: str
    request_id: str
    by_operator: bool
    items: int
    gives: int
    takes: int
    created_at: datetime
    effective_at: datetime | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One correction of an order, and what came of it."""

    seq: int
    member: MemberRef
    amount: int
    note: str
    state: ItemState
    fact_id: UUID | None
    refusal: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, as facts and keys name them."""

    actor: Actor
    client: str
    name: str
    operator: bool


COLUMNS = """b.id, b.client, b.key, b.digest, b.unit, b.reason_code, b.label, b.expires_at,
  b.expires_after, b.expires_end, b.allow_deficit, b.state, b.approval_id, b.actor, b.request_id,
  b.by_operator, b.items, b.gives, b.takes, b.created_at, b.effective_at, b.done_at"""


async def by_key(connection: Connection, client: str, key: str) -> Bulk | None:
    row = await connection.fetchrow(
        f"select {COLUMNS} from loyalty.bulk_adjustment b where b.client = $1 and b.key = $2",
        client, key,
    )  # fmt: skip
    return None if row is None else _bulk(row)


async def by_id(connection: Connection, bulk_id: UUID) -> Bulk | None:
    row = await connection.fetchrow(
        f"select {COLUMNS} from loyalty.bulk_adjustment b where b.id = $1", bulk_id
    )
    return None if row is None else _bulk(row)


def replayed(known: Bulk, order: Order) -> Bulk:
    """The order that was placed under this key before.

    :raises Refused: IDEMPOTENCY_MISMATCH, it was another one
    """
    if known.digest != digest(order):
        raise Refused(
            Code.IDEMPOTENCY_MISMATCH,
            "this key was used before with other content: make a new key for each command",
            field="idempotencyKey",
        )
    return known


async def place(
    connection: Connection,
    caller: Caller,
    order: Order,
    *,
    key: str,
    kind: ApprovalKind = ApprovalKind.BULK_ADJUSTMENT,
    now: datetime,
) -> Bulk:
    """Keep an order: it runs at once, or waits for a second person where it is above the
    tenant's threshold.

    :raises Refused: IDEMPOTENCY_MISMATCH
    """
    rule = await policy(connection)
    above = rule.above.get(order.unit)
    waits = above is not None and order.gives + order.takes > above
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
    """It was approved: from now on it runs."""
    await connection.execute(
        """update loyalty.bulk_adjustment set state = 'RUNNING', effective_at = $2
            where id = $1 and state = 'WAITING'""",
        bulk_id, now,
    )  # fmt: skip
    await schedule.soon(connection, f"{JOB}:{bulk_id}", now)


async def cancel(connection: Connection, bulk_id: UUID) -> None:
    await connection.execute(
        """update loyalty.bulk_adjustment set state = 'CANCELLED'
            where id = $1 and state = 'WAITING'""",
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


def request_of(bulk: Bulk, item: Item) -> Request:
    """What recording an item asks: the same fact under the same key, however often."""
    assert bulk.effective_at is not None
    return Request(
        fact=command(bulk, item, bulk.effective_at),
        actor=bulk.actor,
        request_id=bulk.request_id,
        key=FactKey(SCOPE, f"{bulk.id}:{item.seq}"),
        any_time=True,
        while_suspended=bulk.by_operator,
    )


def command(order: Order | Bulk, item: Wanted | Item, at: datetime) -> AdjustBalance:
    gives = item.amount > 0
    return AdjustBalance(
        member=item.member,
        occurred_at=at,
        unit=order.unit,
        amount=item.amount,
        reason_code=order.reason_code,
        note=item.note or order.label,
        expires_at=order.expires_at if gives else None,
        expires_after=order.expires_after if gives else None,
        expires_end=order.expires_end,
        allow_deficit=order.allow_deficit,
    )


def digest(order: Order) -> bytes:
    """Of everything that was asked. What a reason stands for may change in between."""
    asked = [
        order.unit, order.reason_code, order.expires_at, order.allow_deficit,
        [[*_named(item.member), item.amount, item.note] for item in order.items],
    ]  # fmt: skip
    return sha256(orjson.dumps(asked)).digest()


def _told(bulk_id: UUID, order: Order) -> dict[str, Any]:
    return {
        "bulk": str(bulk_id), "unit": order.unit, "reasonCode": order.reason_code,
        "items": len(order.items), "gives": order.gives, "takes": order.takes,
    }  # fmt: skip


def _named(ref: MemberRef) -> tuple[str, str]:
    if ref.id is not None:
        return "id", str(ref.id)
    if ref.external_id is not None:
        return "external_id", ref.external_id
    return "identifier", ref.identifier or ""


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
    names = [_named(item.member) for item in wanted]
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
