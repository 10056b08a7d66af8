"""Points that leave for a partner or come from one: each through the agreement's clearing account.

What a side refuses is its own to know: the other is only told that it cannot be done now.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from loyalty.effects import (
    AccountingClass,
    Burn,
    Effect,
    Grant,
    Post,
    Refuse,
    Reinstate,
    TakeBack,
    Write,
)
from loyalty.errors import Code
from loyalty.ledger.account import ISSUED
from loyalty.plugin import BurnWant
from loyalty.view import View
from loyalty_earning.lifetime import end_of
from loyalty_partners.config import Incoming, PartnersConfig
from loyalty_partners.facts import PartnerCharged, PointsGiven, PointsIssued, PointsTaken
from loyalty_partners.half import NEED, Half
from loyalty_partners.movement import FEES, Movement, MovementKind, clearing

LABELS = {
    MovementKind.EXCHANGE: "Exchanged with a partner",
    MovementKind.EARN: "Earned at a partner",
    MovementKind.ISSUE: "From a partner",
}


def wanted_lots(config: PartnersConfig, fact: PointsGiven) -> Iterable[BurnWant]:
    """As many as the amount needs; more where some may be returned yet."""
    yield BurnWant(unit=fact.unit, amount=fact.amount)


def give(config: PartnersConfig, fact: PointsGiven, view: View) -> Iterable[Effect]:
    if fact.program != view.program:
        return
    half: Half | None = view.needs[NEED]
    movement = fact.movement
    if (refusal := _closed(half, config, fact.unit) or _over(half, movement, view)) is not None:
        yield refusal
        return
    grace = config.units[fact.unit].grace_days
    yield Burn(
        unit=fact.unit,
        amount=fact.amount,
        to=clearing(movement.agreement_id),
        reversible=Reinstate(allowed=False, grace=None if grace is None else timedelta(days=grace)),
        settled=movement.kind is MovementKind.EXCHANGE,
    )
    if movement.fee:
        yield Post(
            unit=fact.unit, source=clearing(movement.agreement_id), target=FEES,
            amount=movement.fee,
        )  # fmt: skip
    assert half is not None, "it was looked at"
    yield Write(row=movement, shared=half.per_day is not None)


def take(config: PartnersConfig, fact: PointsTaken, view: View) -> Iterable[Effect]:
    if fact.program != view.program:
        return
    if (refusal := _closed(view.needs[NEED], config, fact.unit)) is not None:
        yield refusal
        return
    yield from granted(config, fact, view)


def granted(
    config: PartnersConfig, fact: PointsTaken | PointsIssued, view: View
) -> Iterator[Effect]:
    """The points, out of the clearing account, and the line."""
    movement = fact.movement
    lifetime = config.units[fact.unit].lifetime
    yield Grant(
        unit=fact.unit,
        wanted=fact.amount,
        granted=fact.amount,
        rule=movement.kind.lower(),
        label=LABELS[movement.kind],
        accounting_class=AccountingClass.PARTNER_FUNDED,
        expires_at=None if lifetime is None else end_of(lifetime, fact.occurred_at, view.zone),
        cost=cost_of(movement),
        take_back=TakeBack.DEFICIT if movement.kind is MovementKind.ISSUE else TakeBack.REFUSE,
    )
    yield Post(
        unit=fact.unit, source=clearing(movement.agreement_id), target=ISSUED, amount=fact.amount
    )
    yield Write(row=movement)


def cost_of(movement: Movement) -> int | None:
    """What stands against the points is what they are carried at: what the partner pays, or the
    part of it that is not for something else."""
    return movement.amount if movement.carried is None else movement.carried


def charge(config: PartnersConfig, fact: PartnerCharged, view: View) -> Iterable[Effect]:
    if fact.program != view.program:
        return
    half: Half | None = view.needs[NEED]
    if half is None or not (half.active and half.linked):
        yield not_available()
        return
    yield Write(row=fact.movement)


def _closed(half: Half | None, config: PartnersConfig, unit: str) -> Refuse | None:
    incoming: Incoming | None = config.units.get(unit)
    if half is None or incoming is None or not (half.active and half.linked):
        return not_available()
    return None


def _over(half: Half | None, movement: Movement, view: View) -> Refuse | None:
    """Caps count what left today before, from the tenant's midnight on; what earlier facts of the
    same batch took counts as if written."""
    assert half is not None, "it was looked at"
    earlier = [
        row
        for row in view.written
        if isinstance(row, Movement)
        and row.agreement_id == movement.agreement_id
        and row.kind is not MovementKind.REVERSAL
    ]
    points = movement.points_out
    if half.per_member_per_day is not None:
        mine = sum(row.points_out for row in earlier if row.link_id == movement.link_id)
        if half.by_member + mine + points > half.per_member_per_day:
            return _reached("a member may exchange no more with this partner today")
    if half.per_day is not None:
        in_all = half.in_all + sum(row.points_out for row in earlier)
        if in_all + points > half.per_day:
            return _reached("no more may be exchanged with this partner today")
    return None


def _reached(message: str) -> Refuse:
    return Refuse(code=Code.LIMIT_REACHED, message=message, field="amount")


def not_available() -> Refuse:
    return Refuse(
        code=Code.PARTNER_NOT_AVAILABLE,
        message="not possible with this partner now",
        field="partner",
    )
