"""Spending points: what a redemption may ask for, and the hold or burn that carries it out."""

from collections.abc import Iterator

from loyalty.commands import Redeem
from loyalty.effects import Effect, Refuse
from loyalty.errors import Code
from loyalty.plugin import BurnWant
from loyalty.view import View
from loyalty_earning.rules.spending import (
    amount_declined,
    bad_amount,
    held_until,
    hold_declined,
    taken,
)
from loyalty_earning.unit_places import unit_places
from loyalty_points.config import PointsConfig
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
        until = held_until(config.redemption, command)
        yield taken(config.redemption, command, command.amount, until)
    elif (refusal := rewarding.declined(config, command, view)) is not None:
        yield refusal
    else:
        reward = config.rewards_by_id[command.reward]
        until = rewarding.held_until(config, reward, command, view)
        yield taken(config.redemption, command, reward.price(unit_places(view, config.unit)), until)
        yield rewarding.kept(config, reward, command, view)


def _declined(config: PointsConfig, command: Redeem, view: View) -> Refuse | None:
    spent = config.lots.spent if command.reward is None else (config.unit,)
    if command.unit not in spent:
        return Refuse(
            code=Code.BAD_USER_INPUT,
            message=f"this program is spent in {' or '.join(spent)}",
            field="unit",
            details={"unit": spent[0]},
        )
    if (refusal := hold_declined(command)) is not None:
        return refusal
    if command.reward is not None:
        return None
    if command.amount <= 0:
        return bad_amount("must be more than 0")
    if command.unit != config.unit:
        return None  # what was issued is spent as it likes: the terms are those of points
    places = unit_places(view, config.unit)
    return amount_declined(config.redemption, command.amount, places)
