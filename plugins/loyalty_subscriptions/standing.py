"""What a member's subscriptions of one program come to: which counts, what others may know."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from loyalty.effects import SetTrait
from loyalty.view import View
from loyalty_subscriptions.config import SubscriptionsConfig
from loyalty_subscriptions.periods import FOREVER
from loyalty_subscriptions.rows import SubscriptionRow
from loyalty_subscriptions.subscription import (
    Grace,
    Provider,
    Status,
    Subscription,
    entitled_until,
    status_at,
)
from loyalty_subscriptions.tables import SUBSCRIPTIONS

PLAN, STATUS, ACTIVE, PERKS = "plan", "status", "active", "perks"
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Shown:
    """What others know of a member: the plan whose benefits they have, until when, the state."""

    plan: str = ""
    perks: tuple[str, ...] = ()
    status: Status = Status.EXPIRED
    until: datetime | None = None  # without these benefits; FOREVER: never


def known(view: View) -> dict[Key, Subscription]:
    """The member's subscriptions of the program, with what was written in this batch."""
    found: dict[Key, Subscription] = {one.key: one for one in view.needs.get(SUBSCRIPTIONS) or ()}
    for row in view.written:
        if isinstance(row, SubscriptionRow):
            found[row.subscription.key] = row.subscription
    return found


def leading(
    config: SubscriptionsConfig, subscriptions: Iterable[Subscription], at: datetime, grace: Grace
) -> Subscription | None:
    """The one that counts: of those with benefits the best plan, else one that is not over, else
    the last."""

    def order(one: Subscription) -> tuple[bool, bool, int, float]:
        entitled = entitled_until(one, at, grace) is not None
        over = status_at(one, at, grace) is Status.EXPIRED
        return not entitled, over, config.rank(one.plan), -one.started_at.timestamp()

    return min(subscriptions, key=order, default=None)


def current(config: SubscriptionsConfig, view: View, at: datetime) -> Subscription | None:
    """The subscription that a command is about: not over, and rather one that is paid for."""
    grace = config.dunning.grace(view.zone)
    found = [
        one
        for one in known(view).values()
        if one.plan and status_at(one, at, grace) is not Status.EXPIRED
    ]
    own = [one for one in found if one.provider is not Provider.COMP]
    return leading(config, own or found, at, grace)


def shown(
    config: SubscriptionsConfig, subscriptions: Iterable[Subscription], at: datetime, grace: Grace
) -> Shown:
    one = leading(config, [one for one in subscriptions if one.plan], at, grace)
    if one is None:
        return Shown()
    status, until = status_at(one, at, grace), entitled_until(one, at, grace)
    if until is None:
        return Shown(status=status)
    plan = config.plans_by_id.get(one.plan)
    perks = tuple(perk.id for perk in plan.perks) if plan is not None else ()
    return Shown(plan=one.plan, perks=perks, status=status, until=until)


def traits(now: Shown, at: datetime) -> Iterator[SetTrait]:
    """What conditions read from now on. The benefits end by themselves, whether or not a worker
    comes by."""
    entitled = now.until is not None
    until = None if now.until in (None, FOREVER) else now.until
    yield SetTrait(name=ACTIVE, value=entitled, since=at, until=until)
    yield SetTrait(name=PLAN, value=now.plan, since=at, until=until)
    yield SetTrait(name=PERKS, value=list(now.perks), since=at, until=until)
    yield SetTrait(name=STATUS, value=now.status.value, since=at)
