"""What does not fit between the parts of a config, each at the key where it stands."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Protocol

from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.faults import Fault
from loyalty_earning.groups import Group
from loyalty_earning.limits import Cap
from loyalty_subscriptions.plans import Plan

Path = tuple[int | str, ...]


class Boosting(Protocol):
    """A rule that comes with plans."""

    @property
    def id(self) -> str: ...

    @property
    def plans(self) -> tuple[str, ...]: ...


def misfits(plans: Sequence[Plan], boosts: Sequence[Boosting]) -> Iterator[Fault]:
    """Ids that are used twice, prices that name nothing, boosts of plans that are not there."""
    seen: dict[tuple[str, str], str] = {}
    for path, what, name in _names(plans):
        if (what, name) in seen:
            yield path, f"the {what} {name} is used before"
        seen[what, name] = name
    for at, plan in enumerate(plans):
        for of, price in enumerate(plan.prices):
            if price.money is None and price.points is None:
                yield ("plans", at, "prices", of), "a price is in money or in points: name one"
    ids = [plan.id for plan in plans]
    for at, rule in enumerate(boosts):
        if ("gift", rule.id) in seen:
            yield ("rules", at, "id"), f"a gift is called {rule.id} already"
        for of, named in enumerate(rule.plans):
            if named not in ids:
                near = get_close_matches(named, ids, n=1)
                hint = f": did you mean {near[0]}?" if near else ""
                yield ("rules", at, "plans", of), f"there is no plan {named}{hint}"


def carrying_over(
    rules: Sequence[EarningRule], groups: Sequence[Group], caps: Sequence[Cap]
) -> Iterator[Fault]:
    """Caps that would give later what they cut: here nothing comes by to give it."""
    where: list[tuple[Path, Cap]] = [(("caps", at), cap) for at, cap in enumerate(caps)]
    for name, parts in (("rules", rules), ("groups", groups)):
        for at, part in enumerate(parts):
            where += [((name, at, "caps", of), cap) for of, cap in enumerate(part.caps)]
    for path, cap in where:
        if cap.carry_over:
            yield (*path, "carry_over"), "caps of subscriptions do not carry over"


def _names(plans: Sequence[Plan]) -> Iterator[tuple[Path, str, str]]:
    for at, plan in enumerate(plans):
        yield ("plans", at, "id"), "plan", plan.id
        for of, gift in enumerate(plan.gifts):
            yield ("plans", at, "gifts", of, "id"), "gift", gift.id
        for of, price in enumerate(plan.stripe_prices):
            yield ("plans", at, "stripe_prices", of), "Stripe price", price
