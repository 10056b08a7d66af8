"""Why what counts earns nothing, in plain words."""

from fractions import Fraction

from loyalty.units import currency_places, format_minor, format_plain, ratio
from loyalty_earning.counting import Counted
from loyalty_earning.curve import Part, summed
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.measures import Count
from loyalty_earning.occasion import Occasion
from loyalty_earning.periods import Period, Periodic
from loyalty_earning.running_sums import sum_name
from loyalty_earning.steps import bracketed


def shortfall(rule: EarningRule, occasion: Occasion) -> str:
    """Of a rule that is no bonus."""
    found, part = occasion.counted(rule), occasion.paid(rule)
    if rule.count is Count.ATTRIBUTE and not found.total:
        return f"the attribute {rule.attribute} holds no number above 0"
    if not (rule.levels or rule.brackets or any(rule.tariff.rates_of(found.lines))):
        return "the rate of what counts is 0"
    if rule.over is None:
        paid = found.total * part[0] // part[1]
        return _alone(rule, occasion, paid)
    return _in_a_sum(rule, rule.over, occasion, found, part)


def in_this(period: Period, days: int | None) -> str:
    """In which period something was counted."""
    if period is Period.LIFETIME:
        return "in all"
    return f"in this {period}" if days is None else f"in {days} days"


def less_than_a_part(rule: EarningRule) -> str:
    return f"less than the smallest part of the unit, rounded {rule.rounding}"


def _alone(rule: EarningRule, occasion: Occasion, paid: int) -> str:
    if rule.levels:
        told = _that(rule, occasion, paid, "reach", "reaches")
        return f"{told} no level: {_next_level(rule, occasion, paid)}"
    if rule.whole_steps:
        step = _in_words(rule, occasion, _per(rule, occasion))
        return f"{_that(rule, occasion, paid, 'make', 'makes')} no full step of {step}"
    told = _that(rule, occasion, paid, "earn", "earns")
    return f"{told} {_too_little(rule, occasion, 0, paid)}"


def _in_a_sum(
    rule: EarningRule, over: Periodic, occasion: Occasion, found: Counted, part: Part
) -> str:
    more = sum(summed(rule, found, part))
    if not rule.tariff.is_flat:  # such a sum is of points, not of what counts
        paid = found.total * part[0] // part[1]
        told = _that(rule, occasion, paid, "add", "adds")
        when = in_this(over.period, over.days)
        return f"{told} to what was earned {when} {less_than_a_part(rule)}"
    before = occasion.view.counters[sum_name(rule, over, occasion.currency)]
    total = _in_words(rule, occasion, before + more)
    told = _that(rule, occasion, more, "make", "makes")
    told = f"{told} {total} {in_this(over.period, over.days)}"
    if rule.levels:
        return f"{told}: {_next_level(rule, occasion, before + more)}"
    if rule.whole_steps:
        per = _per(rule, occasion)
        return f"{told}: no further full step of {_in_words(rule, occasion, per)}"
    return f"{told}, which adds {_too_little(rule, occasion, before, before + more)}"


def _too_little(rule: EarningRule, occasion: Occasion, before: int, after: int) -> str:
    if rule.brackets:
        per = _per(rule, occasion)
        given = (bracketed(rule.brackets, Fraction(total) / per) for total in (before, after))
        if len({*given}) == 1:
            return "nothing by its brackets"
    return less_than_a_part(rule)


def _next_level(rule: EarningRule, occasion: Occasion, total: int) -> str:
    per = _per(rule, occasion)
    above = [start for one in rule.levels if (start := ratio(one.start) * per) > total]
    if not above:
        return "there is no higher level"
    which = "first" if len(above) == len(rule.levels) else "next"
    return f"the {which} level begins at {_in_words(rule, occasion, above[0])}"


def _per(rule: EarningRule, occasion: Occasion) -> Fraction:
    """One step, in what is counted."""
    per = occasion.rated[rule.id].per
    assert per is not None
    return Fraction(*per)


def _that(rule: EarningRule, occasion: Occasion, amount: int, they: str, it: str) -> str:
    """So much counts and does something."""
    told = _in_words(rule, occasion, amount)
    return f"{told} that counts {it}" if told == "1" else f"{told} that count {they}"


def _in_words(rule: EarningRule, occasion: Occasion, amount: int | Fraction) -> str:
    """An amount, or a number without needless zeros. Of a fraction the first that reaches it."""
    whole = -(-amount.numerator // amount.denominator)
    if rule.count is Count.AMOUNT:
        return format_minor(whole, currency_places(occasion.currency or "") or 0)
    return format_plain(whole, 3)
