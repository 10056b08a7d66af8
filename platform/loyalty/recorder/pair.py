"""Two sides at once: one transaction over two legs, of two tenants or of one.

The only place that switches tenant inside a transaction. Each side decides for itself; where either
is refused, neither happens.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from loyalty.database import Database, begin, switch
from loyalty.errors import Code, Refused
from loyalty.recorder.apart import Regretted, ahead, check_replays, in_turn
from loyalty.recorder.attempts import persistently
from loyalty.recorder.each import Cut, internal, settle_each
from loyalty.recorder.leg import Leg as Leg
from loyalty.recorder.leg import LegRefused as LegRefused
from loyalty.recorder.needs import subject
from loyalty.recorder.newest import with_newest
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.wants import More
from loyalty.settlement.batch import Batch
from loyalty.settlement.request import Change, Recorded, Request

log = logging.getLogger(__name__)


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
    (outcome,) = await persistently(
        lambda more: _apart(recorder, [(first, second)], more), lost=forget
    )
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


async def record_pairs(
    recorder: Recorder, pairs: Sequence[tuple[Leg, Leg]]
) -> list[tuple[Recorded, Recorded] | Refused]:
    """Record pairs of legs of the same two tenants in one transaction, each pair or nothing of it;
    each has its own outcome, in the same place.

    Where they cannot be recorded together, they are one by one.

    :raises Refused: OVERLOADED, UNAVAILABLE
    """
    tenants = {leg.tenant_id for pair in pairs for leg in pair}
    if len(tenants) != 2 or any(first.tenant_id == second.tenant_id for first, second in pairs):
        raise ValueError("pairs that are recorded together are of the same two tenants")

    def forget() -> None:
        for tenant_id in tenants:
            recorder.forget(tenant_id)

    try:
        return await persistently(lambda more: _apart(recorder, pairs, more), lost=forget)
    except Refused:
        raise
    except Exception as error:
        if len(pairs) == 1:
            if not isinstance(error, Cut):
                log.exception("%s could not be recorded", pairs[0][0].request.fact.KIND)
            return [internal(error)]
    return [(await record_pairs(recorder, [pair]))[0] for pair in pairs]


async def _apart(
    recorder: Recorder, pairs: Sequence[tuple[Leg, Leg]], more: More
) -> list[tuple[Recorded, Recorded] | Refused]:
    """Several are settled ahead, in the hope that the second tenant refuses none that the first
    lets stand; a lone one gains nothing by that."""
    if len(pairs) > 1:
        with suppress(Regretted):
            return await ahead(recorder, pairs, more)
    return await in_turn(recorder, pairs, more)


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
        check_replays(one, other)
        _check_accounts(gave, got)
        await recorder.append(connection, batch)
    await recorder.committed((batch, [*gave, *got]))
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
