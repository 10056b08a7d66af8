"""Exchanges: both halves in one transaction. A quote is taken up once, however often it is sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty import members
from loyalty.days import day_start, local_day
from loyalty.errors import RETRYABLE, Code, Refused
from loyalty.facts import MemberRef
from loyalty.ids import NIL
from loyalty.recorder.pair import Leg, LegRefused
from loyalty.settlement.request import Recorded, Request
from loyalty.setup import Setup
from loyalty_graphql.context import Context
from loyalty_partners.exchange import Deal, Side, legs
from loyalty_partners.facts import PointsGiven, PointsTaken
from loyalty_partners.graphql import sending
from loyalty_partners.graphql.quoting import kept, not_available
from loyalty_partners.movement import MovementKind, moved_key
from loyalty_partners.quote import Quote
from loyalty_partners.terms import terms_of
from loyalty_tenants.desk.costs import OF_THE_UNIT, costs

LINE = """
select m.*, a.partner, a.partner_unit, a.partner_tenant_id, a.peer_id, a.program_id,
       t.terms as plain, l.state as leg, l.reversal,
       exists (select from loyalty.partners_movement r
                where r.tenant_id = m.tenant_id and r.of_id = m.id and r.kind = 'REVERSAL')
         as reversed
  from loyalty.partners_movement m
  join loyalty.partners_agreement a on (a.tenant_id, a.id) = (m.tenant_id, m.agreement_id)
  join loyalty.partners_terms t
    on (t.tenant_id, t.agreement_id, t.number) = (m.tenant_id, m.agreement_id, m.terms)
  left join loyalty.partners_leg l on (l.tenant_id, l.id) = (m.tenant_id, m.id)
 where m.tenant_id = (select loyalty.tenant()) and m.id = $1
"""
# Who the linked member is there: the partner's half of link and agreement.
THERE = """
select l.member_id, a.program_id, a.unit from loyalty.partners_link l
  join loyalty.partners_agreement a on (a.tenant_id, a.id) = (l.tenant_id, l.agreement_id)
 where l.tenant_id = (select loyalty.tenant()) and l.id = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class There:
    """The partner's side of a movement."""

    tenant_id: UUID
    member: MemberRef
    program: str
    unit: str | None


async def exchange(context: Context, quote_id: UUID) -> tuple[Any, bool]:
    """Take a quote up: our line of it, and whether it had been taken up before.

    :raises Refused: NOT_FOUND, QUOTE_EXPIRED, PARTNER_NOT_AVAILABLE, INSUFFICIENT_BALANCE,
        LIMIT_REACHED, MEMBER_FROZEN
    """
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        now = context.api.clock.now()
        quote = await kept(connection, quote_id, now)
        line, carried = await connection.fetchrow(LINE, quote_id), None
        if line is not None and line["kind"] != MovementKind.EXCHANGE:
            line = None
        if quote is None and line is None:
            raise Refused(Code.NOT_FOUND, "there is no such quote", field="quote")
        await _own(context, connection, (quote or line)["member_id"])
        if line is None and quote["expires_at"] <= now:
            raise Refused(Code.QUOTE_EXPIRED, "is too old: ask for another", field="quote")
        if line is None and quote["superseded"]:
            await _check_round(connection, quote, now)
        if line is None:
            carried = await _carried(connection, quote, now)
    if line is not None:
        return await sending.carried_on(context, line), True
    if quote["peer_id"] is not None:
        return await _sent(context, quote, carried)
    theirs = await there(context, quote["partner_tenant_id"], quote["link_id"])
    replayed = False
    try:
        ours = await _paired(context, quote, carried, theirs)
        context.written([ours])
        replayed = ours.replayed
    except Refused as refused:
        if refused.code is not Code.IDEMPOTENCY_MISMATCH:
            raise
        replayed = True  # it was sent twice at once, and the other one was first
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        return await connection.fetchrow(LINE, quote_id), replayed


async def give_up(context: Context, exchange_id: UUID) -> tuple[Any, bool]:
    """Have an exchange with a partner elsewhere called off: our line of it, and whether there was
    nothing to call off.

    :raises Refused: NOT_FOUND
    """
    async with context.api.database.tenant(context.tenant_id) as connection:
        line = await connection.fetchrow(LINE, exchange_id)
        if line is None or line["leg"] is None:
            raise Refused(Code.NOT_FOUND, "there is no such exchange", field="exchange")
        begun = await sending.give_up(connection, exchange_id, context.api.clock.now())
    return await sending.carried_on(context, line, refuse=False), not begun


async def _check_round(connection: Any, quote: Any, now: datetime) -> None:
    """Other terms apply meanwhile. What was promised holds, unless it and they make a round that
    ends with more than it began with.

    :raises Refused: QUOTE_EXPIRED
    """
    gains = await connection.fetchval(
        "select loyalty.partners_gain($1, $2, $3)", quote["agreement_id"], now, quote["terms"]
    )
    if gains:
        raise Refused(Code.QUOTE_EXPIRED, "the rates have changed: ask for another", field="quote")


async def _own(context: Context, connection: Any, member_id: UUID) -> None:
    """A member may take up their own quotes only; others' are not there."""
    if not context.is_member:
        return
    own = await members.find(connection, MemberRef(external_id=context.who.subject))
    if own is None or own.id != member_id:
        raise Refused(Code.NOT_FOUND, "there is no such quote", field="quote")


async def _carried(connection: Any, quote: Any, now: datetime) -> int | None:
    """What the burned points were carried at, where a cost is set in the currency settled in."""
    cost = (await costs(connection, quote["unit"], now)).get(OF_THE_UNIT)
    flow = terms_of(quote["plain"]).give
    if cost is None or flow is None or cost.currency != quote["plain"]["currency"]:
        return None
    return cost.money(cost.of(quote["burned"], flow.giver_places))


async def there(context: Context, partner: UUID, link_id: UUID) -> There:
    """Whom a link names at the partner, and which of its programs minds the agreement.

    :raises Refused: PARTNER_NOT_AVAILABLE
    """
    async with context.api.database.tenant(partner, read_only=True) as connection:
        row = await connection.fetchrow(THERE, link_id)
    program = None
    if row is not None:
        setup = await context.api.setups.current(partner)
        program = setup.program_by_id(row["program_id"])
    if row is None or program is None:
        raise not_available()
    return There(
        tenant_id=partner, member=MemberRef(id=row["member_id"]), program=program.slug,
        unit=row["unit"],
    )  # fmt: skip


async def _sent(context: Context, quote: Any, carried: int | None) -> tuple[Any, bool]:
    """The same with a brand of another installation, which does its leg by itself."""
    setup = await context.setup()
    program = setup.program_by_id(quote["program_id"])
    if program is None:
        raise not_available()
    given, _ = _legs(
        quote, carried, program.slug,
        Side(member=MemberRef(id=NIL), program="", unit=quote["partner_unit"]),
        now=context.api.clock.now(), day=today(setup, context.api.clock.now()),
    )  # fmt: skip
    replayed = await sending.send(context, given, quote["peer_id"])
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        line = await connection.fetchrow(LINE, quote["id"])
    return await sending.carried_on(context, line), replayed


async def _paired(context: Context, quote: Any, carried: int | None, theirs: There) -> Recorded:
    setup, now = await context.setup(), context.api.clock.now()
    program = setup.program_by_id(quote["program_id"])
    if program is None or theirs.unit is None:
        raise not_available()
    given, taken = _legs(
        quote, carried, program.slug,
        Side(member=theirs.member, program=theirs.program, unit=theirs.unit),
        now=now, day=today(setup, now),
    )  # fmt: skip
    ours, _ = await pair(context, given, taken, theirs, moved_key(quote["id"]))
    return ours


def _legs(
    quote: Any, carried: int | None, program: str, taker: Side, *, now: datetime, day: datetime
) -> tuple[PointsGiven, PointsTaken]:
    flow, currency = terms_of(quote["plain"]).give, quote["plain"]["currency"]
    if flow is None:
        raise not_available()
    names = ("offered", "burned", "fee", "credited", "owed")
    deal = Deal(
        id=quote["id"], agreement_id=quote["agreement_id"], link_id=quote["link_id"],
        terms=quote["terms"], currency=currency, charge=flow.charge,
        quote=Quote(**{name: quote[name] for name in names}),
    )  # fmt: skip
    giver = Side(member=MemberRef(id=quote["member_id"]), program=program, unit=quote["unit"])
    return legs(deal, giver, taker, now=now, day=day, carried=carried)


async def pair(
    context: Context, here: Any, away: Any, theirs: There, key: Any
) -> tuple[Recorded, Recorded]:
    """Record what happens here and at the partner together, or nothing of either.

    Who acts here is nothing that the partner is told, and why it refuses is nothing that we are.

    :raises Refused: our own side's refusal, or PARTNER_NOT_AVAILABLE
    """
    ours = Request(
        fact=here, actor=context.actor_name, request_id=context.request_id, key=key,
    )  # fmt: skip
    partner = Request(fact=away, actor=f"partner:{(await context.setup()).slug}", key=key)
    try:
        return await context.api.pairs.record(
            Leg(context.tenant_id, ours), Leg(theirs.tenant_id, partner)
        )
    except LegRefused as refused:
        if refused.tenant_id == context.tenant_id:
            raise Refused(
                refused.code, refused.message, field=refused.field, details=refused.details
            ) from None
        if refused.code is Code.IDEMPOTENCY_MISMATCH:
            raise Refused(refused.code, refused.message, field=refused.field) from None
        if refused.code in RETRYABLE - {Code.TENANT_SUSPENDED}:
            raise Refused(refused.code, refused.message) from None
        raise not_available() from None


def today(setup: Setup, now: datetime) -> datetime:
    """The begin of the tenant's local day."""
    return day_start(local_day(now, setup.zone), setup.zone)
