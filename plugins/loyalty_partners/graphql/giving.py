"""Outside brands at work: facts of theirs that give points, reversals, packs."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid5

from loyalty.errors import Code, Refused
from loyalty.facts import FactReversed, MemberRef
from loyalty.settlement.request import Recorded, Request
from loyalty.setup import Program
from loyalty.units import MINOR_MAX
from loyalty_graphql.context import Context
from loyalty_partners import agreements
from loyalty_partners.agreements import Agreement, AgreementKind, AgreementState
from loyalty_partners.facts import PackSold, PointsIssued
from loyalty_partners.graphql import agreeing
from loyalty_partners.graphql.agreements import is_of
from loyalty_partners.graphql.exchanging import today
from loyalty_partners.issuing import Issuing, issuing_of
from loyalty_partners.movement import (
    MOVED,
    Movement,
    MovementKind,
    moved_key,
    reversal_id,
    reversal_key,
)
from loyalty_tenants.principal import Role

# An outside brand is not told what a member's account is like, only whether it can be given to.
_ABOUT_THE_MEMBER = frozenset({Code.MEMBER_CLOSED, Code.MEMBER_FROZEN, Code.MEMBER_NOT_FOUND})
_LINE = """
select m.* from loyalty.partners_movement m
 where m.tenant_id = (select loyalty.tenant()) and m.id = $1
"""
_BACK = """
select -coalesce(sum(base), 0)::bigint from loyalty.partners_movement
 where tenant_id = (select loyalty.tenant()) and of_id = $1 and kind = 'REVERSAL'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An agreement in force with an outside brand, and what it says now. `known`: what is asked was
    done before, and is answered so whatever became of the agreement."""

    half: Agreement
    program: Program
    number: int
    terms: Issuing
    known: bool


def issue_id(agreement_id: UUID, external_id: str) -> UUID:
    """The line of a brand's fact, by what the brand calls it."""
    return uuid5(agreement_id, f"fact:{external_id}")


async def give(
    context: Context,
    agreement_id: UUID,
    member: MemberRef,
    external_id: str,
    activity: str,
    money: int | None,
    at: datetime,
) -> tuple[Any, bool]:
    """Give points for a fact of the brand: its line, and whether it was recorded before.

    :raises Refused: NOT_FOUND, BUDGET_EXHAUSTED, LIMIT_REACHED, MEMBER_NOT_FOUND, TOO_EARLY,
        TOO_LATE, IDEMPOTENCY_MISMATCH, BAD_AMOUNT, BAD_USER_INPUT
    """
    setup, ident = await context.setup(), issue_id(agreement_id, external_id)
    standing = await _standing(context, agreement_id, at, line=ident)
    now = context.api.clock.now()
    if not standing.known and at > now + setup.ahead:
        raise Refused(Code.TOO_EARLY, "lies in the future", field="occurredAt")
    if not standing.known and at < now - setup.backdating:
        raise Refused(Code.TOO_LATE, "is too long ago", field="occurredAt")
    points = _converted(standing.terms, activity, money)
    terms, unit = standing.terms, standing.half.unit
    assert unit is not None, "the points are ours"
    _check_payable(terms, points, "amount")
    fact = PointsIssued(
        member=member, occurred_at=at, program=standing.program.slug, unit=unit, amount=points,
        activity=activity, day=today(setup, at),
        movement=Movement(
            id=ident, agreement_id=agreement_id, kind=MovementKind.ISSUE, terms=standing.number,
            currency=terms.currency, amount=0 if terms.prepaid else terms.costs(points),
            unit=unit, points_in=points, carried=terms.liability(points), base=money,
            ref=external_id,
        ),
    )  # fmt: skip
    recorded = await _recorded(context, fact, ident)
    return await _line(context, ident), recorded.replayed


async def _recorded(context: Context, fact: PointsIssued, ident: UUID) -> Recorded:
    request = Request(
        fact=fact, actor=context.actor_name, request_id=context.request_id, key=moved_key(ident)
    )
    try:
        return await context.record(request)
    except Refused as refused:
        if refused.code in _ABOUT_THE_MEMBER:
            raise Refused(
                Code.MEMBER_NOT_FOUND, "there is no such member", field="member"
            ) from None
        if refused.code is Code.IDEMPOTENCY_MISMATCH:
            raise Refused(
                refused.code, "this externalId was used for something else", field="externalId"
            ) from None
        raise


def _converted(terms: Issuing, activity: str, money: int | None) -> int:
    conversion = terms.conversion(activity)
    if conversion is None:
        known = sorted(one.activity for one in terms.conversions)
        raise Refused(
            Code.BAD_USER_INPUT, "is not agreed on", field="activity", details={"known": known}
        )
    if conversion.per is not None and money is None:
        raise Refused(Code.BAD_AMOUNT, "say how much it was about", field="amount")
    points = conversion.of(money)
    if points == 0:
        raise Refused(Code.BAD_AMOUNT, "is too little for a point", field="amount")
    return points


async def take_back(
    context: Context, agreement_id: UUID, external_id: str, reversal: str, money: int | None
) -> tuple[Any, bool]:
    """Take points back for a part (or, `money` None, all that is left) of a brand's fact.

    :raises Refused: NOT_FOUND, RETURN_TOO_LARGE, IDEMPOTENCY_MISMATCH, BAD_AMOUNT
    """
    ident = issue_id(agreement_id, external_id)
    key = reversal_key(ident, reversal)
    half = await seen(context, agreement_id)
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        line = await connection.fetchrow(_LINE, ident)
        known = await connection.fetchrow(_LINE, reversal_id(key))
        back = await connection.fetchval(_BACK, ident)
    if line is None:
        raise Refused(Code.NOT_FOUND, "there is no such fact", field="externalId")
    if known is not None:
        if money is not None and money != -known["base"]:
            raise Refused(
                Code.IDEMPOTENCY_MISMATCH, "this reversalId was used before", field="reversalId"
            )
        return known, True
    base = line["base"] or 1  # a fact about no money comes back as a whole
    more = base - back if money is None else money
    if not 0 < more <= base - back:
        raise Refused(Code.RETURN_TOO_LARGE, "is more than is left of the fact", field="amount")
    fact = FactReversed(
        member=MemberRef(id=line["member_id"]), occurred_at=context.api.clock.now(),
        reversed_scope=MOVED, reversed_key=str(ident), part=str(Fraction(back + more, base)),
        detail={"base": more, "before": back},
    )  # fmt: skip
    await context.record(
        Request(fact=fact, actor=context.actor_name, request_id=context.request_id, key=key)
    )
    assert half.unit is not None, "the points are ours"
    return await _line(context, reversal_id(key)), False


async def buy(context: Context, agreement_id: UUID, points: int, key: str) -> tuple[Any, bool]:
    """A pack of points: its line, and whether it was bought before.

    :raises Refused: NOT_FOUND, AGREEMENT_STATE, IDEMPOTENCY_MISMATCH
    """
    now, ident = context.api.clock.now(), uuid5(agreement_id, f"pack:{key}")
    await seen(context, agreement_id)
    if (line := await _line(context, ident)) is not None:
        return _the_pack(line, points), True
    standing = await _standing(context, agreement_id, now)
    terms = standing.terms
    if not terms.prepaid:
        raise Refused(Code.AGREEMENT_STATE, "is paid afterwards: no packs", field="agreement")
    _check_payable(terms, points, "points")
    fact = PackSold(
        occurred_at=now, program=standing.program.slug, points=points,
        liability=terms.liability(points),
        movement=Movement(
            id=ident, agreement_id=agreement_id, kind=MovementKind.PACK, terms=standing.number,
            currency=terms.currency, amount=terms.costs(points), unit=standing.half.unit,
            points_out=points, carried=terms.liability(points), ref=key,
        ),
    )  # fmt: skip
    try:
        replayed = (await context.record(context.request(fact))).replayed
    except Refused as refused:
        if refused.code is not Code.IDEMPOTENCY_MISMATCH:
            raise
        replayed = True  # it was sent twice at once, and the other one was first
    return _the_pack(await _line(context, ident), points), replayed


def _the_pack(line: Any, points: int) -> Any:
    """:raises Refused: IDEMPOTENCY_MISMATCH"""
    if line["points_out"] != points:
        raise Refused(Code.IDEMPOTENCY_MISMATCH, "this key was used before", field="idempotencyKey")
    return line


def _check_payable(terms: Issuing, points: int, field: str) -> None:
    """:raises Refused: BAD_AMOUNT, more money than is kept"""
    if max(terms.costs(points), terms.liability(points)) > MINOR_MAX:
        raise Refused(Code.BAD_AMOUNT, "costs too much at once", field=field)


async def seen(context: Context, agreement_id: UUID) -> Agreement:
    """An issuing agreement of the caller: our own, or the outside brand's that asks."""
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        half = await agreements.by_id(connection, agreement_id)
    if half is None or half.kind is not AgreementKind.ISSUING:
        raise agreeing.gone()
    if context.who.role is Role.PARTNER and not is_of(context, half):
        raise agreeing.gone()
    return half


async def _standing(
    context: Context, agreement_id: UUID, at: datetime, *, line: UUID | None = None
) -> Standing:
    """The terms at an instant; those of the line, where it was written before (a replay)."""
    half = await seen(context, agreement_id)
    program = (await context.setup()).program_by_id(half.program_id)
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        version = await agreements.in_force(connection, agreement_id, at)
        known = None if line is None else await connection.fetchrow(_LINE, line)
        if known is not None:
            versions = (await agreements.terms_of_each(connection, [agreement_id]))[agreement_id]
            version = next(one for one in versions if one.number == known["terms"])
    if known is None and half.state is not AgreementState.ACTIVE:
        raise agreeing.wrong_state(half, "move points under")
    if version is None or program is None:
        raise Refused(Code.PARTNER_NOT_AVAILABLE, "no terms apply then", field="occurredAt")
    return Standing(
        half=half, program=program, number=version.number, terms=issuing_of(version.plain),
        known=known is not None,
    )  # fmt: skip


async def _line(context: Context, ident: UUID) -> Any:
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        return await connection.fetchrow(_LINE, ident)
