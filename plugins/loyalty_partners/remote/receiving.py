"""Legs as the taker does them: whichever comes first for an exchange, CREDITED or VOIDED, stays.

What is refused is called off for good before that is said, or the same call, late on its way, could
credit tomorrow what the giver took back today.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from loyalty.errors import RETRYABLE, Code, Refused
from loyalty.facts import FactReversed, MemberRef
from loyalty.settlement.request import Request
from loyalty_graphql.context import Context
from loyalty_partners import agreements
from loyalty_partners.agreements import Agreement, AgreementKind, TermsState, TermsVersion
from loyalty_partners.config import GIVING_UP_MAX, QUOTES_MAX
from loyalty_partners.facts import PointsReceived
from loyalty_partners.legs import LegState
from loyalty_partners.movement import MOVED, Movement, MovementKind, moved_key, reversal_key
from loyalty_partners.remote.leg_row import LegRow, legs_of
from loyalty_partners.terms import Terms, terms_of

AHEAD = timedelta(minutes=5)  # clocks of two installations differ

_LEG = """
select agreement_id, peer_id, outgoing, state from loyalty.partners_leg
 where tenant_id = (select loyalty.tenant()) and id = $1
"""
_CALL_OFF = """
insert into loyalty.partners_leg
  (tenant_id, id, agreement_id, peer_id, outgoing, state, happened_at, changed_at)
values (loyalty.tenant(), $1, $2, $3, false, 'VOIDED', $4, $5) on conflict do nothing
"""
_CONFIRM = """
update loyalty.partners_leg set state = 'SETTLED', changed_at = $3
 where tenant_id = (select loyalty.tenant()) and id = any($1) and peer_id = $2 and not outgoing
   and state = 'CREDITED'
"""
_CONFIRMED = """
select id from loyalty.partners_leg
 where tenant_id = (select loyalty.tenant()) and id = any($1) and peer_id = $2 and not outgoing
   and state = 'SETTLED'
"""
_MEMBER = """
select member_id from loyalty.partners_link
 where tenant_id = (select loyalty.tenant()) and id = $1 and agreement_id = $2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arriving:
    """An exchange as the giver tells it; money is what the giver owes."""

    id: UUID
    agreement_id: UUID
    link_id: UUID
    number: int
    at: datetime


async def standing(context: Context, agreement_id: UUID) -> tuple[Agreement | None, Terms | None]:
    """Our half of an agreement with the brand that calls, and its first terms, for their places."""
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        half = await agreements.by_id(connection, agreement_id)
        if half is None or half.peer_id != context.who.peer:
            return None, None
        versions = (await agreements.terms_of_each(connection, [agreement_id]))[agreement_id]
    return half, terms_of(versions[-1].plain)


async def credit(
    context: Context, arriving: Arriving, *, burned: int, credited: int, amount: int, charge: int
) -> LegState:
    """Credit an exchange, once: CREDITED, or VOIDED where it was called off, or is now.

    :raises Refused: NOT_FOUND, IDEMPOTENCY_MISMATCH, or for now: what came of it is not said
    """
    if (known := await _known(context, arriving)) is not None:
        return known
    try:
        fact = await _fact(context, arriving, burned, credited, amount, charge)
        await context.record(
            Request(
                fact=fact, actor=context.actor_name, request_id=context.request_id,
                key=moved_key(arriving.id), any_time=True,
            )
        )  # fmt: skip
    except Refused as refused:
        if refused.code in RETRYABLE | {Code.IDEMPOTENCY_MISMATCH}:
            raise
        return await call_off(context, arriving)
    return LegState.CREDITED


async def call_off(context: Context, arriving: Arriving) -> LegState:
    """Never credit an exchange, unless it is credited already: which of the two it is."""
    peer, now = context.who.peer, context.api.clock.now()
    async with context.api.database.tenant(context.tenant_id) as connection:
        await connection.execute(
            _CALL_OFF, arriving.id, arriving.agreement_id, peer, arriving.at, now
        )
    known = await _known(context, arriving)
    assert known is not None, "it was just written, or was there"
    return known


async def confirm(context: Context, ids: list[UUID]) -> list[UUID]:
    """The giver knows that these are credited; answers those that are settled now."""
    peer, now = context.who.peer, context.api.clock.now()
    async with context.api.database.tenant(context.tenant_id) as connection:
        await connection.execute(_CONFIRM, sorted(ids), peer, now)
        return [row["id"] for row in await connection.fetch(_CONFIRMED, ids, peer)]


async def take_back(context: Context, leg: LegRow) -> datetime:
    """Take back what an exchange credited here: when it was. The lots there come back then.

    :raises Refused: NOT_REVERSIBLE: it is spent, or not settled yet
    """
    if leg.reversed_at is not None:
        return leg.reversed_at
    if leg.outgoing or leg.state is not LegState.SETTLED:
        raise not_reversible("is under way yet: try again in a moment")
    fact = FactReversed(
        member=MemberRef(id=leg.member_id), occurred_at=context.api.clock.now(),
        reversed_scope=MOVED, reversed_key=str(leg.id), part="1",
    )  # fmt: skip
    try:
        await context.record(
            Request(
                fact=fact, actor=context.actor_name, request_id=context.request_id,
                key=reversal_key(leg.id), any_time=True,
            )
        )  # fmt: skip
    except Refused as refused:
        if refused.code in RETRYABLE:
            raise
        if refused.code is not Code.IDEMPOTENCY_MISMATCH:  # else somebody was first
            raise not_reversible("cannot be undone: what was credited is spent") from None
    done = await leg_of(context, leg.id)
    assert done is not None, "it was there before"
    assert done.reversed_at is not None, "it was just taken back"
    return done.reversed_at


async def leg_of(context: Context, ident: UUID) -> LegRow | None:
    """One of ours that has a line, of whichever partner."""
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        found = await legs_of(connection, [ident])
    return found[0] if found else None


async def _known(context: Context, arriving: Arriving) -> LegState | None:
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        row = await connection.fetchrow(_LEG, arriving.id)
    if row is None:
        return None
    ours = row["peer_id"] == context.who.peer and row["agreement_id"] == arriving.agreement_id
    if not ours or row["outgoing"]:
        raise Refused(Code.NOT_FOUND, "there is no such exchange", field="exchange")
    return LegState.VOIDED if row["state"] == LegState.VOIDED else LegState.CREDITED


async def _fact(
    context: Context, arriving: Arriving, burned: int, credited: int, amount: int, charge: int
) -> PointsReceived:
    """:raises Refused: our half says otherwise, so nothing is credited"""
    half, _ = await standing(context, arriving.agreement_id)
    setup, now = await context.setup(), context.api.clock.now()
    program = None if half is None else setup.program_by_id(half.program_id)
    peer_id = None if half is None else half.peer_id
    if half is None or peer_id is None or program is None or half.unit is None:
        raise _not_here()
    if not now - GIVING_UP_MAX - AHEAD <= arriving.at <= now + AHEAD:
        raise _not_here()
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        member = await connection.fetchval(_MEMBER, arriving.link_id, half.id)
        versions = (await agreements.terms_of_each(connection, [half.id]))[half.id]
    terms = _promised(versions, arriving)
    flow = None if terms is None else terms.take
    if member is None or terms is None or flow is None or half.kind is not AgreementKind.EXCHANGE:
        raise _not_here()
    if credited == 0 or (credited, amount, charge) != (
        burned * flow.credit // flow.burn, flow.owed(credited, terms.currency), flow.charge
    ):  # fmt: skip
        raise _not_here()
    return PointsReceived(
        member=MemberRef(id=member), occurred_at=arriving.at, program=program.slug,
        unit=half.unit, amount=credited, day=arriving.at, peer_id=peer_id,
        movement=Movement(
            id=arriving.id, agreement_id=half.id, kind=MovementKind.EXCHANGE,
            terms=arriving.number, currency=terms.currency, link_id=arriving.link_id,
            amount=amount, charge=charge, unit=half.unit, points_in=credited,
            partner_points=burned,
        ),
    )  # fmt: skip


def _promised(versions: Sequence[TermsVersion], arriving: Arriving) -> Terms | None:
    """The terms that it is under: no others than a quote can have been made under."""
    accepted = {one.number: one for one in versions if one.state is TermsState.ACCEPTED}
    wanted = accepted.get(arriving.number)
    if wanted is None or wanted.effective_from > arriving.at + AHEAD:
        return None
    since = arriving.at - QUOTES_MAX - AHEAD
    place = wanted.effective_from, wanted.number
    if any(
        (one.effective_from, one.number) > place and one.effective_from <= since
        for one in accepted.values()
    ):
        return None
    return terms_of(wanted.plain)


def _not_here() -> Refused:
    return Refused(Code.PARTNER_NOT_AVAILABLE, "not possible with this partner now")


def not_reversible(message: str) -> Refused:
    return Refused(Code.NOT_REVERSIBLE, message, field="exchange")
