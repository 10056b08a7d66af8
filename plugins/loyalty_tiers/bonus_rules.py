"""Which earning rules can be bonuses of a tier."""

from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from loyalty_earning.config import EarningConfig
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.faults import Fault
from loyalty_tiers.tier import Tier


def misfits(tiers: Sequence[Tier]) -> list[Fault]:
    """What of them is more than a bonus of a tier can be, by its path in `tiers`; where nothing is,
    what does not fit in the program that they make together."""
    places: dict[tuple[int | str, ...], EarningRule] = {
        (at, "bonuses", of): rule
        for at, tier in enumerate(tiers)
        for of, rule in enumerate(tier.bonuses)
    }
    found, seen = list[Fault](), set[str]()
    for place, rule in places.items():
        found += [((*place, *path), text) for path, text in _beyond(rule, seen)]
        seen.add(rule.id)
    return found or list(_together(places))


def earning(rules: Sequence[EarningRule]) -> EarningConfig | None:
    """The program that bonuses make; None of none.

    :raises ValidationError: they do not fit
    """
    return EarningConfig(unit=rules[0].unit or "", rules=tuple(rules)) if rules else None


def _beyond(rule: EarningRule, seen: set[str]) -> Iterator[Fault]:
    if rule.id in seen:
        yield ("id",), f"the id {rule.id} is used before: they differ in a ladder"
    if rule.bonus is None:
        yield (), f"{rule.id} needs `bonus`: a tier earns on what others grant"
    if rule.unit is None:
        yield (), f"{rule.id} needs `unit`: which one is it a bonus of?"
    if rule.group is not None:
        yield ("group",), f"{rule.id} stands for itself: leave group out"
    if rule.choices:
        yield (), f"{rule.id} names a choice, which a ladder has none of"
    if rule.bonus and rule.bonus.rules:
        own = "rules of its own program, which a ladder has none of"
        yield ("bonus", "rules"), f"{rule.id}: `rules` of a bonus are {own}"
    if any(one.carry_over for one in rule.caps):
        yield ("caps",), f"{rule.id}: nothing is carried over here"


def _together(places: dict[tuple[int | str, ...], EarningRule]) -> Iterator[Fault]:
    try:
        earning(list(places.values()))
    except ValidationError as error:
        where = list(places)
        for fault in error.errors(include_url=False, include_context=False, include_input=False):
            _, at, *path = fault["loc"]  # of `rules`
            yield (*where[int(at)], *path), fault["msg"]
