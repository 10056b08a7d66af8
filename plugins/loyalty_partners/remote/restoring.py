"""Exchanges with a partner elsewhere that are undone: first at the taker, then at the giver.

The taker may refuse (what it credited is spent); after it took back, the giver restores, however
often it takes to tell it.
"""

from datetime import datetime, timedelta
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.jobs.errands import Outside
from loyalty.plugin import Connection
from loyalty_graphql.context import Context
from loyalty_graphql.ids import node_id
from loyalty_partners import agreements
from loyalty_partners.legs import LegState
from loyalty_partners.remote.carrying import EXCHANGE, Carrier, patience
from loyalty_partners.remote.leg_row import LegRow
from loyalty_partners.remote.receiving import leg_of, not_reversible, take_back
from loyalty_partners.remote.speaking import Silence
from loyalty_partners.remote.telling import TAKE_BACK, ask, silent
from loyalty_partners.terms import terms_of
from loyalty_tenants.peers import Peer, peer_by_id


def outside_of(context: Context) -> Outside:
    """The way out of a process that serves."""
    api = context.api
    return Outside(
        database=api.database, setups=api.setups, clock=api.clock, way=api.way,
        record=api.lanes.record_many,
    )  # fmt: skip


async def carrier_of(context: Context, leg: LegRow) -> Carrier:
    """:raises Refused: PARTNER_NOT_AVAILABLE, the partner is none any more"""
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        peer: Peer | None = await peer_by_id(connection, leg.peer_id)
    if peer is None:
        raise silent()
    setup, now = await context.setup(), context.api.clock.now()
    gives_up = patience(setup, leg.program_id, now).gives_up
    return Carrier(
        out=outside_of(context), tenant_id=context.tenant_id, peer=peer, gives_up=gives_up
    )


async def undo(context: Context, leg: LegRow) -> None:
    """Undo one of our exchanges, whichever side of it we are on.

    :raises Refused: NOT_REVERSIBLE, PARTNER_NOT_AVAILABLE
    """
    if leg.reversed_at is not None:
        return
    if leg.state is not LegState.SETTLED:
        raise not_reversible(f"is {leg.state}, and not settled yet")
    await _check_window(context, leg)
    carrier = await carrier_of(context, leg)
    if leg.outgoing:
        answer = await ask(
            context, carrier.peer, TAKE_BACK, {"exchange": node_id(EXCHANGE, leg.id)}
        )
        await carrier.restore(leg, datetime.fromisoformat(answer["at"]))
        return
    await take_back(context, leg)
    taken = await leg_of(context, leg.id)
    assert taken is not None, "it was there before"
    try:
        await carrier.tell_reversal(taken)
    except Silence as silence:  # a worker tells it again
        await carrier.failed(taken, silence)


async def asked_to_take_back(context: Context, ident: UUID) -> datetime:
    """The giver asks for it, and hears when it was; a worker of ours tells it once more.

    :raises Refused: NOT_FOUND, NOT_REVERSIBLE
    """
    leg = await _theirs(context, ident)
    if leg.reversed_at is None:
        await _check_window(context, leg)
    return await take_back(context, leg)


async def restore(context: Context, ident: UUID, at: datetime) -> bool:
    """The taker took it back: the lots that the points left are as they were.

    :raises Refused: NOT_FOUND
    """
    leg = await _theirs(context, ident)
    if not leg.outgoing:
        raise Refused(Code.NOT_FOUND, "there is no such exchange", field="exchange")
    if leg.reversal == "DONE":
        return True
    if leg.state is not LegState.SETTLED:  # it says what our worker is about to hear
        raise not_reversible("is not settled here yet")
    await (await carrier_of(context, leg)).restore(leg, at)
    return True


async def _theirs(context: Context, ident: UUID) -> LegRow:
    leg = await leg_of(context, ident)
    if leg is None or leg.peer_id != context.who.peer:
        raise Refused(Code.NOT_FOUND, "there is no such exchange", field="exchange")
    return leg


async def _check_window(context: Context, leg: LegRow) -> None:
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        hours = await _hours(connection, leg)
    if hours == 0:
        raise not_reversible("is for good, as agreed")
    if context.api.clock.now() > leg.happened_at + timedelta(hours=hours):
        raise not_reversible(f"can be undone within {hours} hours only")


async def _hours(connection: Connection, leg: LegRow) -> int:
    versions = (await agreements.terms_of_each(connection, [leg.agreement_id]))[leg.agreement_id]
    plain = next(one.plain for one in versions if one.number == leg.terms)
    return terms_of(plain).reversal_hours
