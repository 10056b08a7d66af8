"""Coalitions: points that one brand keeps are earned and spent at the other one's till."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from loyalty import members
from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef
from loyalty.units import MINOR_MAX, parse_minor
from loyalty_graphql import texts
from loyalty_graphql.context import Context
from loyalty_partners import agreements
from loyalty_partners.agreements import Agreement, AgreementKind
from loyalty_partners.facts import PartnerCharged, PointsGiven, PointsTaken
from loyalty_partners.graphql.exchanging import LINE, There, pair, there, today
from loyalty_partners.graphql.linking import linkable
from loyalty_partners.graphql.quoting import not_available
from loyalty_partners.movement import Movement, MovementKind, moved_key
from loyalty_partners.terms import Flow, terms_of

_LINK = """
select id from loyalty.partners_link
 where tenant_id = (select loyalty.tenant()) and agreement_id = $1 and member_id = $2
   and state = 'ACTIVE'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What a till asks for, under the terms in force."""

    half: Agreement
    member_id: UUID
    link_id: UUID
    flow: Flow
    number: int
    currency: str
    points: int


async def at_till(
    context: Context, agreement_id: UUID, ref: MemberRef, amount: str, external_id: str,
    kind: MovementKind,
) -> tuple[Any, bool]:  # fmt: skip
    """Earn (EARN) or spend (BURN) at our till what the partner keeps: our line, and whether it was
    done before.

    :raises Refused: PARTNER_NOT_AVAILABLE, MEMBER_NOT_FOUND, BAD_AMOUNT, IDEMPOTENCY_MISMATCH
    """
    ident = uuid5(agreement_id, f"{context.tenant_id}:{kind}:{external_id}")
    now = context.api.clock.now()
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        line = await connection.fetchrow(LINE, ident)
        if line is not None:
            await _check_same(connection, line, ref, amount)
            return line, True
        sale = await _sale(context, connection, agreement_id, ref, amount, kind, now)
    partner = sale.half.partner_tenant_id
    assert partner is not None, "it was looked at"
    theirs, first = await there(context, partner, sale.link_id), True
    try:
        await _paired(context, sale, theirs, ident, external_id, kind, now)
    except Refused as refused:
        if refused.code is not Code.IDEMPOTENCY_MISMATCH:
            raise
        first = False  # it was sent twice at once, and the other one was first
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        line = await connection.fetchrow(LINE, ident)
        assert line is not None, "somebody wrote it"
        await _check_same(connection, line, ref, amount)
        return line, not first


async def _check_same(connection: Any, line: Any, ref: MemberRef, amount: str) -> None:
    """What was done is answered as before, whatever became of agreement, link and member since.

    :raises Refused: IDEMPOTENCY_MISMATCH, BAD_AMOUNT
    """
    flow = line["plain"]["give"] or line["plain"]["take"]
    points = parse_minor(amount, flow["places"], field="points")
    member = await members.find(connection, ref)
    if member is None or (line["partner_points"], line["member_id"]) != (points, member.id):
        raise Refused(
            Code.IDEMPOTENCY_MISMATCH, "this externalId was used for something else",
            field="externalId",
        )  # fmt: skip


async def _sale(
    context: Context, connection: Any, agreement_id: UUID, ref: MemberRef, amount: str,
    kind: MovementKind, now: datetime,
) -> Sale:  # fmt: skip
    half = await linkable(context, connection, agreement_id)
    version = await agreements.in_force(connection, half.id, now)
    if half.kind is not AgreementKind.COALITION or half.unit is not None or version is None:
        raise not_available()  # who keeps the points has tills of its own
    member = await members.find(connection, ref)
    if member is None:
        raise Refused(Code.MEMBER_NOT_FOUND, "there is no such member", field="member")
    link, terms = await connection.fetchval(_LINK, half.id, member.id), terms_of(version.plain)
    # Seen from here, what is earned is given by us, who are charged; what is spent is taken.
    flow = terms.give if kind is MovementKind.EARN else terms.take
    if link is None or flow is None:
        raise not_available()
    points = parse_minor(amount, flow.places, field="points")
    if points == 0:
        raise texts.bad_amount("points", "must be more than nothing")
    if flow.owed(points, terms.currency) > MINOR_MAX:
        raise texts.bad_amount("points", "costs too much at once")
    return Sale(
        half=half, member_id=member.id, link_id=link, flow=flow, number=version.number,
        currency=terms.currency, points=points,
    )  # fmt: skip


async def _paired(
    context: Context, sale: Sale, theirs: There, ident: UUID, external_id: str,
    kind: MovementKind, now: datetime,
) -> None:  # fmt: skip
    setup = await context.setup()
    program = setup.program_by_id(sale.half.program_id)
    if program is None or theirs.unit is None:
        raise not_available()
    owed = sale.flow.owed(sale.points, sale.currency)
    ours = -owed if kind is MovementKind.EARN else owed
    shared: dict[str, Any] = {
        "id": ident, "agreement_id": sale.half.id, "kind": kind, "terms": sale.number,
        "currency": sale.currency, "link_id": sale.link_id,
    }  # fmt: skip
    here = PartnerCharged(
        member=MemberRef(id=sale.member_id), occurred_at=now, program=program.slug,
        movement=Movement(
            **shared, amount=ours, partner_points=sale.points, ref=external_id
        ),
    )  # fmt: skip
    away: PointsTaken | PointsGiven
    keeper = await context.api.setups.current(theirs.tenant_id)
    if kind is MovementKind.EARN:
        away = PointsTaken(
            member=theirs.member, occurred_at=now, program=theirs.program, unit=theirs.unit,
            amount=sale.points, day=now,
            movement=Movement(
                **shared, amount=-ours, unit=theirs.unit, points_in=sale.points
            ),
        )  # fmt: skip
    else:
        away = PointsGiven(
            member=theirs.member, occurred_at=now, program=theirs.program, unit=theirs.unit,
            amount=sale.points, capture=True, day=today(keeper, now),
            movement=Movement(
                **shared, amount=-ours, unit=theirs.unit, points_out=sale.points
            ),
        )  # fmt: skip
    recorded, _ = await pair(context, here, away, theirs, moved_key(ident))
    context.written([recorded])
