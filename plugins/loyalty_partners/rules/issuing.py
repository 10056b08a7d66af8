"""Points that an outside brand gives: as many as it has, or pays for, within what was agreed on."""

from collections.abc import Iterable

from loyalty.effects import Effect, Emit, Post, Refuse, Write
from loyalty.errors import Code
from loyalty.facts import FactReversed
from loyalty.ledger.account import ISSUED
from loyalty.units import format_minor
from loyalty.view import View
from loyalty_partners.config import PartnersConfig
from loyalty_partners.facts import FundsLow, PackSold, PointsIssued
from loyalty_partners.fund import NEED, Fund, FundMoved, PackRow
from loyalty_partners.lines import NEED as UNDONE
from loyalty_partners.lines import Undone
from loyalty_partners.movement import Movement, MovementKind, clearing
from loyalty_partners.rules.moving import granted, not_available
from loyalty_partners.rules.undoing import taken_back


def issue(config: PartnersConfig, fact: PointsIssued, view: View) -> Iterable[Effect]:
    if fact.program != view.program:
        return
    fund: Fund | None = view.needs[NEED]
    if fund is None or not fund.active or fact.unit not in config.units:
        yield not_available()
        return
    agreement_id, given = fact.movement.agreement_id, _given(fact, view)
    if (refusal := _refused(fact, fund, *given)) is not None:
        yield refusal
        return
    yield from granted(config, fact, view)
    yield Write(row=FundMoved(agreement_id=agreement_id, points=-fact.amount), shared=True)
    alert = fund.terms.alert_below
    if fund.left is not None and alert is not None:
        left = fund.left - given[1]
        if left >= alert > left - fact.amount:
            yield Emit(fact=_low(fact, fund, view, left - fact.amount))


def _given(fact: PointsIssued, view: View) -> tuple[int, int]:
    """What earlier facts of the same batch gave this member, and all: it counts as if written."""
    ident = fact.movement.agreement_id
    mine = sum(
        row.points_in
        for row in view.written
        if isinstance(row, Movement) and row.agreement_id == ident
    )
    in_all = -sum(
        row.points
        for row in view.written
        if isinstance(row, FundMoved) and row.agreement_id == ident
    )
    return mine, in_all


def _refused(fact: PointsIssued, fund: Fund, mine: int, in_all: int) -> Refuse | None:
    terms = fund.terms
    if terms.per_member_per_day is not None and (
        fund.by_member + mine + fact.amount > terms.per_member_per_day
    ):
        return _reached("a member may get no more of this partner today")
    if terms.per_day is not None and fund.in_all + in_all + fact.amount > terms.per_day:
        return _reached("this partner may give no more today")
    if fund.left is not None and fund.left - in_all < fact.amount:
        return Refuse(
            code=Code.BUDGET_EXHAUSTED,
            message="the points that were bought are given: buy another pack",
            field="agreement",
        )
    return None


def _reached(message: str) -> Refuse:
    return Refuse(code=Code.LIMIT_REACHED, message=message, field="amount")


def _low(fact: PointsIssued, fund: Fund, view: View, left: int) -> FundsLow:
    return FundsLow(
        member=fact.member, occurred_at=fact.occurred_at, program=view.program,
        agreement_id=fact.movement.agreement_id, partner=fund.partner, points=left,
        unit=fact.unit, amount=format_minor(left, view.places(fact.unit)),
    )  # fmt: skip


def reverse_issue(config: PartnersConfig, fact: FactReversed, view: View) -> Iterable[Effect]:
    """`detail` says of how much `base` more, and how much came back `before` it was asked."""
    undone: Undone | None = view.needs[UNDONE]
    if undone is None or undone.movement.kind is not MovementKind.ISSUE or fact.detail is None:
        return
    if undone.base_back != fact.detail["before"]:
        raise RuntimeError("another reversal of the same came in between: work it out anew")
    points = 0
    for effect in taken_back(fact, view, undone, base=-fact.detail["base"]):
        if isinstance(effect, Post):
            points = effect.amount
        yield effect
    if (
        points and undone.funded and undone.movement.amount == 0
    ):  # of a pack: the brand may give them again
        agreement_id = undone.movement.agreement_id
        yield Write(row=FundMoved(agreement_id=agreement_id, points=points))


def sell(config: PartnersConfig, fact: PackSold, view: View) -> Iterable[Effect]:
    if fact.program != view.program:
        return
    movement = fact.movement
    assert movement.unit is not None, "a pack is of our points"
    yield Post(
        unit=movement.unit, source=ISSUED, target=clearing(movement.agreement_id),
        amount=fact.points,
    )  # fmt: skip
    yield Write(row=movement)
    yield Write(row=FundMoved(agreement_id=movement.agreement_id, points=fact.points))
    yield Write(
        row=PackRow(
            id=movement.id, agreement_id=movement.agreement_id, key=movement.ref or "",
            points=fact.points, currency=movement.currency, amount=movement.amount,
            liability=fact.liability,
        )
    )  # fmt: skip
