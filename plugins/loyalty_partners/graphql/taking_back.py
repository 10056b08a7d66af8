"""Exchanges that are undone within their window: both halves, and the lots as they were."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.facts import FactReversed, MemberRef
from loyalty.ids import NIL
from loyalty_graphql.context import Context
from loyalty_partners.facts import ChargeUndone, GivingUndone
from loyalty_partners.graphql.exchanging import LINE, There, pair
from loyalty_partners.movement import MOVED, MovementKind, reversal_key
from loyalty_partners.remote import restoring
from loyalty_partners.remote.receiving import leg_of
from loyalty_partners.terms import terms_of

UNDONE = frozenset({MovementKind.EXCHANGE, MovementKind.EARN, MovementKind.BURN})

_REDEMPTION = """
select (f.answer ->> 'redemptionId')::uuid from loyalty.fact f
  join loyalty.partners_movement m on (m.tenant_id, m.fact_id) = (f.tenant_id, f.id)
 where m.tenant_id = (select loyalty.tenant()) and m.id = $1
"""


async def reverse(context: Context, movement_id: UUID, reason: str) -> tuple[Any, bool]:
    """Undo an exchange: our line of it, and whether it had been undone before.

    :raises Refused: NOT_FOUND, NOT_REVERSIBLE
    """
    now = context.api.clock.now()
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        line = await connection.fetchrow(LINE, movement_id)
        if line is None or line["kind"] not in UNDONE:
            raise Refused(Code.NOT_FOUND, "there is no such exchange", field="exchange")
        if line["reversed"]:
            return line, True
    if line["peer_id"] is not None:
        leg = await leg_of(context, movement_id)
        assert leg is not None, "each exchange with a partner elsewhere has one"
        await restoring.undo(context, leg)
        return await _line(context, movement_id), False
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        hours = await _hours(connection, line)
    if hours == 0:
        raise _not_reversible("is for good, as agreed")
    if now > line["occurred_at"] + timedelta(hours=hours):
        raise _not_reversible(f"can be undone within {hours} hours only")
    await _paired(context, line, reason, now)
    return await _line(context, movement_id), False


async def _line(context: Context, movement_id: UUID) -> Any:
    context.written()
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        return await connection.fetchrow(LINE, movement_id)


async def _hours(connection: Any, line: Any) -> int:
    plain = await connection.fetchval(
        """select terms from loyalty.partners_terms
            where tenant_id = (select loyalty.tenant()) and agreement_id = $1 and number = $2""",
        line["agreement_id"],
        line["terms"],
    )
    return terms_of(plain).reversal_hours


async def _paired(context: Context, line: Any, reason: str, now: datetime) -> None:
    """Both halves, at one instant: they are of one month."""
    partner = line["partner_tenant_id"]
    async with context.api.database.tenant(partner, read_only=True) as connection:
        away = await connection.fetchrow(LINE, line["id"])
    if away is None:
        raise _not_reversible("cannot be undone")
    theirs = There(
        tenant_id=partner, member=MemberRef(id=away["member_id"]), program="", unit=away["unit"]
    )
    ours = await _leg(context, context.tenant_id, line, reason, now)
    others = await _leg(context, partner, away, "", now)
    try:
        recorded, _ = await pair(context, ours, others, theirs, reversal_key(line["id"]))
        context.written([recorded])
    except Refused as refused:
        if refused.code is Code.IDEMPOTENCY_MISMATCH:
            return  # it was sent twice at once, and the other one was first
        if refused.code in (Code.PARTNER_NOT_AVAILABLE, Code.INSUFFICIENT_BALANCE):
            raise _not_reversible(
                "cannot be undone: what was credited is spent, or the partner cannot now"
            ) from None
        raise


async def _leg(context: Context, tenant_id: UUID, half: Any, reason: str, now: datetime) -> Any:
    member = MemberRef(id=half["member_id"])
    if half["points_in"]:
        return FactReversed(
            member=member, occurred_at=now, reversed_scope=MOVED, reversed_key=str(half["id"]),
            part="1",
        )  # fmt: skip
    if not half["points_out"]:
        return ChargeUndone(member=member, occurred_at=now, movement_id=half["id"])
    async with context.api.database.tenant(tenant_id, read_only=True) as connection:
        redemption = await connection.fetchval(_REDEMPTION, half["id"])
    return GivingUndone(
        member=member, occurred_at=now, redemption_id=redemption or NIL, reason=reason,
        movement_id=half["id"],
    )  # fmt: skip


def _not_reversible(message: str) -> Refused:
    return Refused(Code.NOT_REVERSIBLE, message, field="exchange")
