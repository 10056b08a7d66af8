"""Spending points: what a redemption may ask for, and the hold or burn that carries it out."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from loyalty.commands import Redeem
from loyalty.effects import Burn, Effect, Hold, Refuse, Reinstate
from loyalty.errors import Code
from loyalty.plugin import BurnWant
from loyalty.units import ratio
from loyalty.view import View
from loyalty_earning.notation import HOLD_MAX
from loyalty_earning.unit_places import unit_places
from loyalty_points.config import PointsConfig, Redemption, Reversible
from loyalty_points.rules import rewarding


def wanted_lots(config: PointsConfig, command: Redeem) -> Iterator[BurnWant]:
    """The lots a redemption may take from; whether they suffice is for the kernel to say."""
    if command.unit not in config.lots.spent:
        return
    # What a reward costs in minor units only the view says: for one all lots are looked at.
    yield BurnWant(unit=command.unit, amount=command.amount if command.reward is None else None)


def redeem(config: PointsConfig, command: Redeem, view: View) -> Iterator[Effect]:
    """Reserve or take what is asked of this program, or say why not."""
    if command.program != view.program:
        return
    refusal = _declined(config, command, view)
    if refusal is not None:
        yield refusal
    elif command.reward is None:
        until = command.occurred_at + (command.hold_for or config.redemption.hold_for)
        yield _taken(config, command, command.amount, until)
    elif (refusal := rewarding.declined(config, command, view)) is not None:
        yield refusal
    else:
        reward = config.rewards_by_id[command.reward]
        until = rewarding.held_until(config, reward, command, view)
        yield _taken(config, command, reward.price(unit_places(view, config.unit)), until)
        yield rewarding.kept(config, reward, command, view)


def _taken(config: PointsConfig, command: Redeem, amount: int, until: datetime) -> Burn | Hold:
    reversible = _reinstate(config.redemption.reversible)
    if command.capture:
        return Burn(unit=command.unit, amount=amount, reversible=reversible)
    return Hold(unit=command.unit, amount=amount, until=until, reversible=reversible)


def _declined(config: PointsConfig, command: Redeem, view: View) -> Refuse | None:
    spent = config.lots.spent if command.reward is None else (config.unit,)
    if command.unit not in spent:
        return Refuse(
            code=Code.BAD_USER_INPUT,
            message=f"this program is spent in {' or '.join(spent)}",
            field="unit",
            details={"unit": spent[0]},
        )
    held = command.hold_for
    if held is not None and not timedelta(0) < held <= HOLD_MAX:
        return Refuse(
            code=Code.BAD_USER_INPUT,
            message="must be more than nothing and at most P30D",
            field="holdFor",
        )
    if command.reward is not None:
        return None
    if command.amount <= 0:
        return _bad_amount("must be more than 0")
    if command.unit != config.unit:
        return None  # what was issued is spent as it likes: the terms are those of points
    places = unit_places(view, config.unit)
    return _amount_declined(config.redemption, command.amount, places)


def _amount_declined(redemption: Redemption, amount: int, places: int) -> Refuse | None:
    minimum, increment = redemption.minimum, redemption.increment
    if minimum is not None and amount < ratio(minimum) * 10**places:
        return _bad_amount(f"must be at least {minimum}", minimum=minimum)
    if increment is not None and amount % (ratio(increment) * 10**places):
        return _bad_amount(f"must be a multiple of {increment}", increment=increment)
    return None


def _bad_amount(message: str, **details: str) -> Refuse:
    return Refuse(code=Code.BAD_AMOUNT, message=message, field="amount", details=details)


def _reinstate(reversible: Reversible) -> Reinstate:
    days = reversible.grace_days
    return Reinstate(
        allowed=reversible.allowed, grace=None if days is None else timedelta(days=days)
    )
