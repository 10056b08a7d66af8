"""What a rule counts of a fact, line by line, in whole numbers."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from loyalty.facts import ActivityRecorded, PurchaseRecorded
from loyalty.purchase import Line
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.measures import THOUSANDTHS, AmountBase, Count
from loyalty_earning.scale import RateKey
from loyalty_earning.tenders import paid_part

Fact = PurchaseRecorded | ActivityRecorded
ATTRIBUTE_MAX = 10**15


class Counted(NamedTuple):
    """A line that counts: how much of it, and which rate it has.

    `amount` is in minor units for `count: amount`, else in thousandths of a piece, of a visit or of
    the attribute. A visit, or the attribute of a purchase, counts once: its lines share it by
    `weight`, what was charged for them. The one line of an activity has the id "".
    """

    id: str
    amount: int
    rate: RateKey
    weight: int


def counted(rule: EarningRule, fact: Fact) -> list[Counted]:
    """The lines that `rule` counts, in the basket's order, before tenders are looked at."""
    tariff = rule.tariff
    flat = tariff.is_flat  # most rules have one rate
    measure = _measure(rule, fact)
    return [
        Counted(line.id, measure(line), None if flat else tariff.key(line), line.net)
        for line in lines_of(rule, fact)
    ]


def lines_of(rule: EarningRule, fact: Fact) -> Sequence[Line]:
    """The lines of a purchase that a rule is about; an activity is one line of its own."""
    if isinstance(fact, ActivityRecorded):
        lines: Sequence[Line] = (Line(id="", amount=0, attributes=fact.attributes),)
    else:
        kinds = rule.kinds
        lines = [line for line in fact.lines if line.kind in kinds]
    if not rule.picks_lines:
        return lines
    include, exclude = rule.include, rule.exclude
    every = include.is_empty
    return [line for line in lines if (every or include.names(line)) and not exclude.names(line)]


def paid(rule: EarningRule, fact: Fact) -> tuple[int, int]:
    """Which part of what counts was paid as the rule wants it: (numerator, denominator)."""
    if (rule.paid_with is None and rule.not_paid_with is None) or isinstance(
        fact, ActivityRecorded
    ):
        return 1, 1
    return paid_part(fact.tenders, rule.paid_with, rule.not_paid_with)


def is_below_minimum(
    rule: EarningRule, currency: str | None, lines: Sequence[Counted], part: tuple[int, int]
) -> bool:
    """Whether what counts comes to less than the rule's `minimum_purchase`, or has none to reach
    in this currency."""
    if not rule.minimum_minor:
        return False
    minimum = rule.minimum_minor.get(currency or "")
    spent = sum([towards_minimum(rule, line) for line in lines])
    return minimum is None or spent * part[0] < minimum * part[1]


def towards_minimum(rule: EarningRule, line: Counted) -> int:
    """What a line adds towards the minimum, in minor units."""
    return line.amount if rule.count is Count.AMOUNT else line.weight


def _measure(rule: EarningRule, fact: Fact) -> Callable[[Line], int]:
    match rule.count:
        case Count.AMOUNT if isinstance(fact, PurchaseRecorded):
            return amount_in(rule.base, tax_included=fact.tax_included)
        case Count.QUANTITY:
            return lambda line: line.quantity
        case Count.ATTRIBUTE:
            assert rule.attribute is not None
            number = attribute_number(fact.attributes, rule.attribute)
            return lambda line: number
        case _:  # a visit; and of an activity whatever is no number of its attributes
            return lambda line: THOUSANDTHS


def amount_in(base: AmountBase, *, tax_included: bool) -> Callable[[Line], int]:
    """What of a line counts, never below nothing. `tax` is the whole line's, as it was charged."""
    sign = base.taxed - tax_included  # where both say the same the tax stays where it is
    if base.discounted:
        return lambda line: max(line.amount - line.discount + sign * line.tax, 0)
    return lambda line: max(line.amount + sign * line.tax, 0)


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
