"""Two sides at once: one transaction over two legs, of two tenants or of one.

The only place that switches tenant inside a transaction. Each side decides for itself; where either
is refused, neither happens.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from loyalty.database import Database, begin, switch
from loyalty.errors import Code, Refused
from loyalty.recorder.attempts import persistently
from loyalty.recorder.each import Cut, settle_each
from loyalty.recorder.needs import subject
from loyalty.recorder.newest import with_newest
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.wants import More
from loyalty.settlement.batch import Batch
from loyalty.settlement.request import Change, Recorded, Request


@dataclass(frozen=True, slots=True)
class Leg:
    tenant_id: UUID
    request: Request


class LegRefused(Refused):
    """One tenant's leg cannot stand. What it says concerns that tenant alone: the other one may not
    be told why."""

    def __init__(self, refused: Refused, tenant_id: UUID) -> None:
        super().__init__(
            refused.code, refused.message, field=refused.field, details=refused.details
        )
        self.tenant_id = tenant_id


class Both:
    """A transaction of two tenants, speaking for one of them at a time."""

    def __init__(self, connection: Any, tenants: frozenset[UUID]) -> None:
        self._connection = connection
        self._tenants = tenants

    async def of(self, tenant_id: UUID) -> Any:
        """The connection, which sees this one's rows from here on."""
        if tenant_id not in self._tenants:
            raise ValueError(f"{tenant_id} is no side of this transaction")
        await switch(self._connection, tenant_id)
        return self._connection


@asynccontextmanager
async def both(database: Database, first: UUID, second: UUID) -> AsyncIterator[Both]:
    """For what two tenants keep in halves that are no value: agreements, links, statements.

    Whoever locks halves of both locks those of the tenant with the lower id first.
    """
    async with database.tenants() as connection:
        await begin(connection, min(first, second))
        yield Both(connection, frozenset((first, second)))
        await connection.execute("commit")


async def record_pair(recorder: Recorder, first: Leg, second: Leg) -> tuple[Recorded, Recorded]:
    """Record both legs or none, and answer them in the order in which they were given.

    Two tenants are locked in ascending order of their ids, each side in a batch of its own. Two
    legs of one tenant (a transfer between members) are one batch: locked in one pass, settled in
    the order given, appended at once.

    :raises LegRefused: the leg of one of two tenants cannot stand
    :raises Refused: a leg of one tenant's two cannot, or only one of them is known under its key,
        or both are about one member or move one account
    :raises ValueError: two legs of one tenant that have one key, or of which the second undoes or
        replaces the first
    """
    tenants = {first.tenant_id, second.tenant_id}

    def forget() -> None:
        for tenant_id in tenants:
            recorder.forget(tenant_id)

    if len(tenants) == 1:
        _check_keys(first.request, second.request)
        requests = (first.request, second.request)
        return await persistently(
            lambda more: _together(recorder, first.tenant_id, requests, more),
            lost=forget,
        )
    recorded = await persistently(lambda more: _apart(recorder, first, second, more), lost=forget)
    return recorded[first.tenant_id], recorded[second.tenant_id]


async def _apart(recorder: Recorder, first: Leg, second: Leg, more: More) -> dict[UUID, Recorded]:
    legs = sorted((first, second), key=lambda leg: leg.tenant_id)
    setups = [await recorder.setups.get(leg.tenant_id) for leg in legs]
    recorded: dict[UUID, Recorded] = {}
    settled: list[tuple[Batch, list[Change]]] = []
    async with recorder.database.tenants() as connection:
        await begin(connection, legs[0].tenant_id)
        for leg, setup in zip(legs, setups, strict=True):
            await switch(connection, leg.tenant_id)
            requests = await with_newest(connection, [leg.request])
            batch = await recorder.open(connection, requests, setup, more)
            try:
                recorded[leg.tenant_id], changes = _settled(batch, requests[0], 0)
            except Refused as refused:
                raise LegRefused(refused, leg.tenant_id) from refused
            await recorder.append(connection, batch)
            settled.append((batch, changes))
        _check_replays(list(recorded.values()))
        await connection.execute("commit")
    for batch, changes in settled:
        await recorder.committed(batch, changes)
    return recorded


async def _together(
    recorder: Recorder, tenant_id: UUID, requests: Sequence[Request], more: More
) -> tuple[Recorded, Recorded]:
    setup = await recorder.setups.get(tenant_id)
    async with recorder.database.tenant(tenant_id) as connection:
        requests = await with_newest(connection, requests)
        batch = await recorder.open(connection, requests, setup, more)
        _check_members(batch, requests)
        try:
            one, gave = _settled(batch, requests[0], 0)
            other, got = _settled(batch, requests[1], 1)
        except Cut:
            raise ValueError("the second leg undoes or replaces the first") from None
        _check_replays([one, other])
        _check_accounts(gave, got)
        await recorder.append(connection, batch)
    await recorder.committed(batch, [*gave, *got])
    return one, other


def _settled(batch: Batch, request: Request, index: int) -> tuple[Recorded, list[Change]]:
    """Settle a leg. A refusal leaves the transaction by an exception, and takes all of it back."""
    changes: list[Change] = []
    outcome = settle_each(batch, request, index, changes)
    if isinstance(outcome, Refused):
        raise outcome
    return outcome, changes


def _check_keys(first: Request, second: Request) -> None:
    # The second would be answered as a replay of the first, or refused as another content.
    keys = [request.client_key or request.natural_key for request in (first, second)]
    if keys[0] is not None and keys[0] == keys[1]:
        raise ValueError("the two legs need a key each")


def _check_members(batch: Batch, requests: Sequence[Request]) -> None:
    one, other = (subject(batch, request.fact) for request in requests)
    if one is not None and one == other:
        raise Refused(
            Code.BAD_USER_INPUT, "both sides are the same member: name two", field="member"
        )


def _check_accounts(gave: Sequence[Change], got: Sequence[Change]) -> None:
    """What goes out of an account and into it again only gives old value a new term."""
    if {(c.owner, c.unit) for c in gave} & {(c.owner, c.unit) for c in got}:
        raise Refused(
            Code.BAD_USER_INPUT, "both sides share one account: nothing would move", field="member"
        )


def _check_replays(recorded: Sequence[Recorded]) -> None:
    if len({outcome.replayed for outcome in recorded}) > 1:
        raise Refused(
            Code.IDEMPOTENCY_MISMATCH,
            "one side of this is known under its key and the other is not",
            field="idempotencyKey",
        )
