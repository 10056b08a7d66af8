"""Which lines of a basket a rule counts, and how much of each."""

from collections.abc import Callable
from typing import NamedTuple

from loyalty.facts import PurchaseRecorded
from loyalty.purchase import Line
from loyalty_points.categories import nearest
from loyalty_points.earning_rule import AmountBase, EarningRule


class Counted(NamedTuple):
    """A line that counts: how much of it (minor units), and the category whose rate it has."""

    id: str
    amount: int
    category: str | None


def counted(rule: EarningRule, purchase: PurchaseRecorded) -> list[Counted]:
    """The lines that `rule` counts, in the basket's order."""
    rates, kinds = rule.scale.numerators, rule.kinds
    rated, barred = len(rates) > 1, any(rule.excluded)  # most rules do neither
    amount = amount_in(rule.base, tax_included=purchase.tax_included)
    return [
        Counted(line.id, amount(line), nearest(line.category, rates) if rated else None)
        for line in purchase.lines
        if line.kind in kinds and not (barred and _excluded(rule, line))
    ]


def amount_in(base: AmountBase, *, tax_included: bool) -> Callable[[Line], int]:
    """What of a line counts, never below nothing. `tax` is the whole line's, as it was charged."""
    sign = base.taxed - tax_included  # where both say the same the tax stays where it is
    if base.discounted:
        return lambda line: max(line.amount - line.discount + sign * line.tax, 0)
    return lambda line: max(line.amount + sign * line.tax, 0)


def _excluded(rule: EarningRule, line: Line) -> bool:
    categories, skus, brands = rule.excluded
    return (
        line.sku in skus or line.brand in brands or nearest(line.category, categories) is not None
    )
