"""What is corrected, and for whom: orders of corrections and their items, as values. Pure."""

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
from loyalty.settlement.request import Request
from loyalty_tenants.principal import Actor

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


def request_of(bulk: Bulk, item: Item, above: Mapping[str, int]) -> Request:
    """What recording an item asks: the same fact under the same key, however often.

    `above` are the thresholds, which bind what no second person approved.
    """
    assert bulk.effective_at is not None
    return Request(
        fact=command(bulk, item, bulk.effective_at),
        actor=bulk.actor,
        request_id=bulk.request_id,
        key=FactKey(SCOPE, f"{bulk.id}:{item.seq}"),
        any_time=True,
        while_suspended=bulk.by_operator,
        alone_up_to=None if bulk.approval_id else above.get(bulk.unit),
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
        [[*named(item.member), item.amount, item.note] for item in order.items],
    ]  # fmt: skip
    return sha256(orjson.dumps(asked)).digest()


def named(ref: MemberRef) -> tuple[str, str]:
    """By what a reference names its member, and the name."""
    if ref.id is not None:
        return "id", str(ref.id)
    if ref.external_id is not None:
        return "external_id", ref.external_id
    return "identifier", ref.identifier or ""
