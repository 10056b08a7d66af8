"""Exchanges with brands of other installations: our leg, and what the partner makes of it."""

from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.plugin import Connection
from loyalty.settlement.request import Request
from loyalty_graphql.context import Context
from loyalty_partners.facts import PointsGiven, PointsSent
from loyalty_partners.graphql.quoting import not_available
from loyalty_partners.legs import LegState
from loyalty_partners.movement import moved_key
from loyalty_partners.remote.receiving import leg_of
from loyalty_partners.remote.restoring import carrier_of
from loyalty_partners.remote.speaking import Silence

_GIVE_UP = """
update loyalty.partners_leg set giving_up = true, due_at = $2
 where tenant_id = (select loyalty.tenant()) and id = $1 and state = 'PENDING' and outgoing
returning true
"""
_REREAD = """
select l.state as leg, exists (
         select from loyalty.partners_movement r
          where r.tenant_id = l.tenant_id and r.of_id = l.id and r.kind = 'REVERSAL') as reversed
  from loyalty.partners_leg l where l.tenant_id = (select loyalty.tenant()) and l.id = $1
"""


async def send(context: Context, given: PointsGiven, peer_id: UUID) -> bool:
    """Our leg: the points leave. Answers whether they had left before.

    :raises Refused: INSUFFICIENT_BALANCE, LIMIT_REACHED, MEMBER_FROZEN, PARTNER_NOT_AVAILABLE
    """
    shared = {one.name: getattr(given, one.name) for one in fields(given)}
    request = Request(
        fact=PointsSent(**shared, peer_id=peer_id), actor=context.actor_name,
        request_id=context.request_id, key=moved_key(given.movement.id),
    )  # fmt: skip
    try:
        return (await context.record(request)).replayed
    except Refused as refused:
        if refused.code is not Code.IDEMPOTENCY_MISMATCH:
            raise
        return True  # it was sent twice at once, and the other one was first


async def carried_on(context: Context, line: Any, *, refuse: bool = True) -> Any:
    """Our line of an exchange, after asking the partner for its leg where that is not known.

    A worker asks on where it does not answer now.

    :raises Refused: PARTNER_NOT_AVAILABLE, the partner credits nothing and the points are back
    """
    if line["leg"] is None:
        return line
    ident = line["id"]
    if line["leg"] == LegState.PENDING:
        await _asked(context, ident)
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        now = await connection.fetchrow(_REREAD, ident)
    if refuse and now["leg"] in (LegState.VOIDED, LegState.WRITTEN_OFF):
        raise not_available()
    return {**line, **now}


async def give_up(connection: Connection, ident: UUID, now: datetime) -> bool:
    """Ask no longer for the credit of a pending exchange, but that it is called off."""
    return bool(await connection.fetchval(_GIVE_UP, ident, now))


async def _asked(context: Context, ident: UUID) -> None:
    leg = await leg_of(context, ident)
    assert leg is not None, "it was just written"
    carrier = await carrier_of(context, leg)
    try:
        await carrier.bring(leg)
    except (Silence, Refused) as trouble:
        await carrier.failed(leg, trouble)
    context.written()
