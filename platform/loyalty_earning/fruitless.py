"""Rules by which nothing is ever given with the units and currencies that a tenant has, each with
what to do. Drafts alone are asked, and only what is certain is told."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from loyalty.idle_key import Means
from loyalty.units import divided
from loyalty_earning.config import EarningConfig
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.faults import Fault
from loyalty_earning.measures import THOUSANDTHS, Count
from loyalty_earning.steps import bracketed, level_of

ADD_UP = "give over, so that visits add up"


def fruitless(config: EarningConfig, means: Means) -> Iterator[Fault]:
    for at, rule in enumerate(config.rules):
        for path, text in (*_never_paid(config, rule, means), *_rounded_away(config, rule, means)):
            yield ("rules", at, *path), text


def never_reached(rule: EarningRule) -> Iterator[Fault]:
    """Of a rule by which one visit gives nothing, in whatever unit."""
    if (given := _of_a_visit(rule)) is None or given:
        return
    if rule.levels or rule.brackets:
        yield (
            ("levels" if rule.levels else "brackets",),
            f"a visit by itself gives nothing by them: {ADD_UP}",
        )
    elif rule.whole_steps:
        steps = f"no visit is a full step of {rule.per_units}"
        yield ("whole_steps",), f"{steps}: {ADD_UP}, or leave whole_steps out"


def _rounded_away(config: EarningConfig, rule: EarningRule, means: Means) -> Iterator[Fault]:
    """A visit that gives less than the smallest part of the unit, each by itself."""
    units = config.units if rule.unit is None else (rule.unit,)
    given = _of_a_visit(rule)
    if not given or any(_rounded(rule, given, means.places.get(unit)) for unit in units):
        return
    key = next((one for one in ("levels", "brackets") if getattr(rule, one)), "points")
    least = f"a visit gives less than the smallest part of {' and '.join(units)}"
    yield (key,), f"{least}, rounded {rule.rounding} to nothing each time: {ADD_UP}, or give more"


def _of_a_visit(rule: EarningRule) -> Fraction | None:
    """The most that one visit gives before it is rounded; None: that is not all that counts."""
    if rule.count is not Count.VISIT or rule.over or rule.bonus or rule.chance:
        return None
    per, of = rule.per_in(None) or (1, 1)
    reached = Fraction(THOUSANDTHS * of, per)
    if rule.levels:
        return level_of(rule.levels, reached)
    if rule.brackets:
        return bracketed(rule.brackets, reached)
    rate = Fraction(max(rule.scale.numerators.values()), rule.scale.denominator)
    return (reached // 1 if rule.whole_steps else reached) * rate


def _rounded(rule: EarningRule, given: Fraction, places: int | None) -> int:
    if places is None:
        return 1  # who knows
    exact = given * 10**places
    return divided(exact.numerator, exact.denominator, rule.rounding)


def _never_paid(config: EarningConfig, rule: EarningRule, means: Means) -> Iterator[Fault]:
    """A rule about purchases in none of the currencies that the tenant takes."""
    key, asked = _currencies(config, rule)
    if not asked or not means.currencies or not {*asked}.isdisjoint(means.currencies):
        return
    takes = f"the tenant takes no {' and no '.join(asked)}, but {', '.join(means.currencies)}"
    yield (key,), f"{takes}: name one of these, or let it take that one first, by updateTenant"


def _currencies(config: EarningConfig, rule: EarningRule) -> tuple[str, Sequence[str]]:
    """In which alone it gives anything, and the key that says so; of no matter which none."""
    if rule.activities:
        return "activities", ()
    if rule.count is Count.AMOUNT and not (rule.bonus or rule.chance):
        if rule.percent is not None:
            return "percent", config.currencies
        return "per", [*(rule.per or ())]
    return "minimum_purchase", [*(rule.minimum_purchase or ())]
