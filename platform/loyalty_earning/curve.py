"""From what was counted to points: rates, full steps, levels and brackets, rounded once."""

from collections.abc import Sequence
from fractions import Fraction

from loyalty.units import MINOR_MAX, apportion, divided, ratio
from loyalty_earning.counting import Counted
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.measures import Rounded
from loyalty_earning.scale import shares, steps_value, within
from loyalty_earning.steps import bracketed, level_of

Part = tuple[int, int]
"""A fraction as numerator and denominator: cheaper than `Fraction`, for every basket has some."""


def points_by_line(
    rule: EarningRule, found: Counted, part: Part, per: Part, places: int
) -> list[int]:
    """What each counted line earns by itself, in the unit's minor units; together what is wanted.

    `part` is how much of it was paid as the rule wants it.
    """
    amounts, scale, whole = found.weights, rule.scale, 10**places
    paid, of = part
    per_whole, of_per = per[0] * of, per[1] * paid
    if rule.is_straight:
        value = found.total * of_per * scale.numerators[None] * whole
        points = divided(value, scale.denominator * per_whole, rule.rounding)
        shared = apportion(points, amounts)
        return shared if points <= MINOR_MAX else within(shared, MINOR_MAX)
    if rule.levels or rule.brackets:
        return apportion(total_of(rule, found.total, part, per, places), amounts)
    rates = rule.tariff.rates_of(found.lines)
    paying = [at for at, rate in enumerate(rates) if rate]
    if len(paying) == len(rates):
        return _rated(rule, amounts, rates, (per_whole, of_per), whole)
    parts = [0] * len(rates)
    if paying:
        rates = [rates[at] for at in paying]
        amounts = [amounts[at] for at in paying]
        given = _rated(rule, amounts, rates, (per_whole, of_per), whole)
        for at, part_of in zip(paying, given, strict=True):
            parts[at] = part_of
    return parts


def _rated(
    rule: EarningRule, amounts: Sequence[int], rates: Sequence[int], per: Part, whole: int
) -> list[int]:
    """What lines earn at a rate of their own each; `per` counts what was paid of them."""
    scale, (per_whole, of_per) = rule.scale, per
    each_line = rule.rounded is Rounded.LINE
    if whole != 1:
        rates = [rate * whole for rate in rates]
    if rule.whole_steps:
        scaled = [amount * of_per for amount in amounts]
        values, denominator = steps_value(scaled, rates, per_whole, each_line=each_line), 1
    else:
        values = [amount * of_per * rate for amount, rate in zip(amounts, rates, strict=True)]
        denominator = per_whole
    return shares(values, scale.denominator * denominator, rule.rounding, each_line=each_line)


def points_over(
    rule: EarningRule,
    found: Counted,
    before: int,
    part: Part,
    per: Part,
    places: int,
) -> list[int]:
    """What the lines add to what the period's sum `before` had earned, shared by what they count.

    What a period earns is worked out from its whole sum and rounded once, so nothing is lost
    between purchases.
    """
    amounts = summed(rule, found, part)
    after = before + sum(amounts)
    more = points_of_sum(rule, after, per, places) - points_of_sum(rule, before, per, places)
    return within(apportion(max(more, 0), amounts), MINOR_MAX)


def summed(rule: EarningRule, found: Counted, part: Part) -> Sequence[int]:
    """What of each line a period adds up: with several rates, each line at its own.

    A period adds up whole minor units: of a part that was paid, what it comes to, rounded down.
    """
    amounts = found.weights
    if part != (1, 1):
        amounts = apportion(found.total * part[0] // part[1], amounts)
    if rule.tariff.is_flat:
        return amounts
    rates = rule.tariff.rates_of(found.lines)
    return [amount * rate for amount, rate in zip(amounts, rates, strict=True)]


def points_of_sum(rule: EarningRule, total: int, per: Part, places: int) -> int:
    """What a period whose sum is `total` earns in all."""
    if not rule.tariff.is_flat:
        value = total * per[1] * 10**places
        return min(divided(value, rule.scale.denominator * per[0], rule.rounding), MINOR_MAX)
    return total_of(rule, total, (1, 1), per, places)


def total_of(rule: EarningRule, total: int, part: Part, per: Part, places: int) -> int:
    """What a sum of one rate gives in all, in minor units."""
    reached = Fraction(total * part[0] * per[1], part[1] * per[0])
    if rule.levels:
        given = level_of(rule.levels, reached)
    elif rule.brackets:
        given = bracketed(rule.brackets, reached)
    else:
        steps = Fraction(reached.numerator // reached.denominator) if rule.whole_steps else reached
        given = steps * ratio(rule.rate)
    exact = given * 10**places
    return min(divided(exact.numerator, exact.denominator, rule.rounding), MINOR_MAX)
