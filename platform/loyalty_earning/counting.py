"""What a rule counts of a fact, line by line, in whole numbers."""

from collections.abc import Mapping, Sequence
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
    lines, tariff = lines_of(rule, fact), rule.tariff
    amounts = _measured(rule, fact, lines)
    if tariff.is_flat:  # as most rules are
        return [
            Counted(line.id, amount, None, line.net)
            for line, amount in zip(lines, amounts, strict=True)
        ]
    return [
        Counted(line.id, amount, tariff.key(line), line.net)
        for line, amount in zip(lines, amounts, strict=True)
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


def _measured(rule: EarningRule, fact: Fact, lines: Sequence[Line]) -> list[int]:
    """How much of each line counts."""
    match rule.count:
        case Count.AMOUNT if isinstance(fact, PurchaseRecorded):
            return amounts_in(rule.base, lines, tax_included=fact.tax_included)
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
    if base.discounted:
        found = [line.amount - line.discount + sign * line.tax for line in lines]
    else:
        found = [line.amount + sign * line.tax for line in lines]
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
