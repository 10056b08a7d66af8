"""Whether a member may have a reward now; the same for a redemption and for the list of rewards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from loyalty.conditions import standing_values
from loyalty.counters import window_of
from loyalty.days import local_day
from loyalty.errors import Code
from loyalty.facts import Fact
from loyalty.view import GrantView, View
from loyalty_earning.choices import with_defaults
from loyalty_earning.limits import Limit
from loyalty_points.config import PointsConfig
from loyalty_points.reward_uses import RewardUse
from loyalty_points.rewards import Reward

SPENDS_NOTHING = {"FROZEN": Code.MEMBER_FROZEN, "CLOSED": Code.MEMBER_CLOSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Barred:
    """What keeps a reward from a member; `part` is the key of its config that says so, or else
    `member`."""

    code: Code
    part: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)


def barred(
    config: PointsConfig, reward: Reward, at: datetime, view: View, uses: Sequence[RewardUse]
) -> Barred | None:
    """The first thing that speaks against it, whatever the order: who asks, its days, its
    condition, its limits. The balance is not looked at."""
    status = "" if view.member is None else view.member.status
    if (code := SPENDS_NOTHING.get(status)) is not None:
        return Barred(code=code, part="member", message=f"the member is {status.lower()}")
    day, effective = local_day(at, view.zone), reward.effective
    if not effective.includes(day):
        begins = effective.starts is not None and day < effective.starts
        when = f"from {effective.starts} on" if begins else f"until {effective.ends} only"
        return _not_available("effective", f"it can be redeemed {when}", day=str(day))
    if reward.condition is not None:
        values = standing_values(at, with_defaults(config.choices, view))
        verdict = reward.condition.judged(values)
        if not verdict.holds:
            return _not_available(
                "when", verdict.words(), condition=verdict.failed, values=dict(verdict.values)
            )
    for limit in reward.limits:
        if (reached := _reached(limit, reward, at, view, uses)) is not None:
            return reached
    return None


def barred_in_order(
    config: PointsConfig, reward: str, order: str | None, uses: Sequence[RewardUse]
) -> Barred | None:
    """Whether an order has as many rewards as it takes already."""
    one = config.rewards_by_id.get(reward)
    of_all = config.max_rewards_per_order
    of_this = one.per_order if one is not None else None
    if order is None or (of_all is None and of_this is None):
        return None
    there = [use for use in uses if use.order == order]
    if of_all is not None and len(there) >= of_all:
        return _order_full(
            "max_rewards_per_order", f"an order takes no more than {of_all} of the rewards"
        )
    if of_this is not None and len([use for use in there if use.reward == reward]) >= of_this:
        return _order_full("per_order", f"an order takes no more than {of_this} of this reward")
    return None


def limits_orders(config: PointsConfig, reward: str) -> bool:
    """Whether it matters for which order the reward is."""
    one = config.rewards_by_id.get(reward)
    return config.max_rewards_per_order is not None or (
        one is not None and one.per_order is not None
    )


def _reached(
    limit: Limit, reward: Reward, at: datetime, view: View, uses: Sequence[RewardUse]
) -> Barred | None:
    since, before = window_of(limit.counter(reward.id, limit.per, _unmeasured), at, view.zone)
    used = sum(1 for use in uses if use.reward == reward.id and since <= use.at < before)
    if used < limit.times:
        return None
    return Barred(
        code=Code.LIMIT_REACHED,
        part="limits",
        message=f"a member may have it {limit.often(limit.times)}",
        details={"times": limit.times, "period": limit.period.value, "used": used},
    )


def _unmeasured(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
    """Only the window of the limit's counter is asked for: uses are counted as they stand."""
    return 0


def _order_full(part: str, message: str) -> Barred:
    return Barred(code=Code.LIMIT_REACHED, part=part, message=message)


def _not_available(part: str, message: str, **details: Any) -> Barred:
    return Barred(code=Code.REWARD_NOT_AVAILABLE, part=part, message=message, details=details)
