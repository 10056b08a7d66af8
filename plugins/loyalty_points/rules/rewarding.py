"""Rewards of the ladder: at their price, under terms that are kept, so many to an order."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from loyalty.commands import CaptureRedemption, Redeem
from loyalty.days import SpanEnd, span_end
from loyalty.effects import Effect, Refuse, Write
from loyalty.errors import Code
from loyalty.view import View
from loyalty_earning.choices import hint
from loyalty_earning.unit_places import unit_places
from loyalty_points.config import PointsConfig
from loyalty_points.ladder import Barred, barred, barred_in_order, limits_orders
from loyalty_points.reward_uses import NEED, RewardOrder, RewardRow, RewardUse
from loyalty_points.rewards import Reward


def declined(config: PointsConfig, command: Redeem, view: View) -> Refuse | None:
    """Why the reward that a redemption names cannot be had, if so."""
    assert command.reward is not None
    reward = config.rewards_by_id.get(command.reward)
    if reward is None:
        known = list(config.rewards_by_id)
        return Refuse(
            code=Code.REWARD_NOT_FOUND,
            message=f"there is no reward {command.reward}{hint(command.reward, known)}",
            field="reward",
            details={"known": known},
        )
    price = reward.price(unit_places(view, config.unit))
    if command.amount not in (0, price):
        return Refuse(
            code=Code.BAD_AMOUNT,
            message=f"leave amount out: the reward costs {reward.cost}",
            field="amount",
            details={"cost": reward.cost},
        )
    uses = _uses(view)
    if (found := barred(config, reward, command.occurred_at, view, uses)) is not None:
        return _refused(found, "reward")
    if command.capture and command.order is None and limits_orders(config, reward.id):
        return _order_missing()
    if (found := barred_in_order(config, reward.id, command.order, uses)) is not None:
        return _refused(found, "order")
    return None


def held_until(config: PointsConfig, reward: Reward, command: Redeem, view: View) -> datetime:
    """Until when a reserved reward can be used: its own time; a request may only shorten it."""
    at, asked = command.occurred_at, command.hold_for
    if reward.span is None:
        return at + (asked or config.redemption.hold_for)
    ends = span_end(at, reward.span, view.zone, SpanEnd.EXACT)
    return ends if asked is None else min(ends, at + asked)


def kept(config: PointsConfig, reward: Reward, command: Redeem, view: View) -> Write:
    """What stays written of it: the reward as it is now, by the version in force."""
    program = view.setup.program(view.program)
    version = program.at(command.occurred_at) if program is not None else None
    use = RewardUse(reward=reward.id, order=command.order, at=command.occurred_at)
    return Write(row=RewardRow(use=use, terms=reward.terms(version.number if version else 0)))


def use(config: PointsConfig, command: CaptureRedemption, view: View) -> Iterator[Effect]:
    """A reserved reward is used as a whole, and for an order that has room for it."""
    uses = _uses(view)
    mine = next((one for one in uses if one.redemption_id == command.redemption_id), None)
    if mine is None:
        return
    if command.amount is not None and command.amount != mine.amount:
        yield Refuse(
            code=Code.BAD_AMOUNT,
            message="a reward is used as a whole: leave amount out",
            field="amount",
        )
        return
    order = command.order or mine.order
    if order is None:
        if limits_orders(config, mine.reward):
            yield _order_missing()
        return
    others = [one for one in uses if one is not mine]
    if (found := barred_in_order(config, mine.reward, order, others)) is not None:
        yield _refused(found, "order")
        return
    if order != mine.order:
        yield Write(row=RewardOrder(use=mine, order=order))


def _uses(view: View) -> Sequence[RewardUse]:
    """What was there before the batch, and what it wrote since."""
    loaded: Sequence[RewardUse] = view.needs.get(NEED) or ()
    ordered = {row.use.fact_id: row for row in view.written if isinstance(row, RewardOrder)}
    uses = [
        one if one.fact_id not in ordered else _for_order(one, ordered[one.fact_id].order)
        for one in loaded
    ]
    return [*uses, *(row.use for row in view.written if isinstance(row, RewardRow))]


def _for_order(use: RewardUse, order: str) -> RewardUse:
    return RewardUse(
        reward=use.reward, order=order, at=use.at, fact_id=use.fact_id,
        redemption_id=use.redemption_id, amount=use.amount,
    )  # fmt: skip


def _order_missing() -> Refuse:
    return Refuse(
        code=Code.BAD_USER_INPUT,
        message="name the order: the program limits the rewards of one",
        field="order",
    )


def _refused(found: Barred, field: str) -> Refuse:
    return Refuse(
        code=found.code,
        message=found.message,
        field=field,
        details={"part": found.part, **found.details},
    )
