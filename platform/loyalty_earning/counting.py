"""What a rule counts of a fact, line by line, in whole numbers."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from loyalty.facts import ActivityRecorded, PurchaseRecorded
from loyalty.purchase import Line
from loyalty.units import apportion
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.measures import THOUSANDTHS, AmountBase, Count
from loyalty_earning.tenders import paid_part

Fact = PurchaseRecorded | ActivityRecorded
ATTRIBUTE_MAX = 10**15
ONCE = (Count.VISIT, Count.ATTRIBUTE)


class Counted(NamedTuple):
    """The lines that count, in the basket's order, before tenders are looked at, by column.

    `amounts` are in minor units for `count: amount`, else in thousandths of a piece, of a visit or
    of the attribute. A visit, or the attribute of a purchase, counts once, however many lines there
    are: `weights` share it by what was charged for them, else they are the amounts; `total` is
    their sum. `ids` are those of the lines; the one line of an activity has "".
    """

    lines: Sequence[Line]
    ids: Sequence[str]
    amounts: Sequence[int]
    weights: Sequence[int]
    total: int


NOTHING_COUNTED = Counted((), (), (), (), 0)


def counted(rule: EarningRule, fact: Fact) -> Counted:
    """What `rule` counts of a fact: the same for every rule of the same `about`."""
    lines = lines_of(rule, fact)
    if not lines:
        return NOTHING_COUNTED
    if rule.count is Count.AMOUNT and isinstance(fact, PurchaseRecorded):
        amounts = weights = amounts_in(rule.base, lines, tax_included=fact.tax_included)
    else:
        amounts = weights = _measured(rule, fact, lines)
    if len(lines) > 1 and rule.count in ONCE:
        weights = apportion(amounts[0], [line.net for line in lines])
    return Counted(lines, [line.id for line in lines], amounts, weights, sum(weights))


def lines_of(rule: EarningRule, fact: Fact) -> Sequence[Line]:
    """The lines of a purchase that a rule is about; an activity is one line of its own."""
    if isinstance(fact, ActivityRecorded):
        return _picked(rule, (Line(id="", amount=0, attributes=fact.attributes),))
    return lines_among(rule, fact.lines)


def lines_among(rule: EarningRule, lines: Sequence[Line]) -> Sequence[Line]:
    """Those of a purchase's lines that a rule is about."""
    kinds = rule.kinds
    return _picked(rule, [line for line in lines if line.kind in kinds])


def _picked(rule: EarningRule, lines: Sequence[Line]) -> Sequence[Line]:
    if not rule.picks_lines:
        return lines
    if not rule.include.is_empty:
        lines = rule.include.named(lines)
    if not rule.exclude.is_empty:
        exclude = rule.exclude
        lines = [line for line in lines if not exclude.names(line)]
    return lines


def paid(rule: EarningRule, fact: Fact) -> tuple[int, int]:
    """Which part of what counts was paid as the rule wants it: (numerator, denominator)."""
    if not rule.asks_how_paid or isinstance(fact, ActivityRecorded):
        return 1, 1
    return paid_part(fact.tenders, rule.paid_with, rule.not_paid_with)


def is_below_minimum(
    rule: EarningRule, currency: str | None, found: Counted, part: tuple[int, int]
) -> bool:
    """Whether what counts comes to less than the rule's `minimum_purchase`, or has none to reach
    in this currency."""
    if not rule.minimum_minor:
        return False
    minimum = rule.minimum_minor.get(currency or "")
    spent = sum(towards_minimum(rule, found))
    return minimum is None or spent * part[0] < minimum * part[1]


def towards_minimum(rule: EarningRule, found: Counted) -> Sequence[int]:
    """What each line adds towards the minimum, in minor units."""
    if rule.count is Count.AMOUNT:
        return found.amounts
    return [line.net for line in found.lines]


def _measured(rule: EarningRule, fact: Fact, lines: Sequence[Line]) -> list[int]:
    """How much of each line counts, where that is no money."""
    match rule.count:
        case Count.QUANTITY:
            return [line.quantity for line in lines]
        case Count.ATTRIBUTE:
            assert rule.attribute is not None
            return [attribute_number(fact.attributes, rule.attribute)] * len(lines)
        case _:  # a visit; and of an activity whatever is no number of its attributes
            return [THOUSANDTHS] * len(lines)


def amounts_in(base: AmountBase, lines: Sequence[Line], *, tax_included: bool) -> list[int]:
    """What of each line counts, never below nothing. `tax` is the whole line's, as charged."""
    sign = base.taxed - tax_included  # where both say the same the tax stays where it is
    if not base.discounted:
        found = [line.amount + sign * line.tax for line in lines]
    elif sign:
        found = [line.amount - line.discount + sign * line.tax for line in lines]
    else:
        found = [line.amount - line.discount for line in lines]
    return found if not found or min(found) >= 0 else [max(amount, 0) for amount in found]


def attribute_number(attributes: Mapping[str, Any], name: str) -> int:
    """An attribute's number >= 0 in thousandths, rounded down; 0 where there is none.

    Text counts if it is a plain decimal, for JSON numbers may have passed through a double.
    """
    value = attributes.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return 0
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return 0
    if not number.is_finite() or number <= 0:
        return 0
    return min(int(number * THOUSANDTHS), ATTRIBUTE_MAX)
