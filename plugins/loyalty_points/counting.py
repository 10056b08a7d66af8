"""Which lines of a basket a rule counts, and how much of each."""

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
    rates = rule.scale.numerators
    rated, barred = len(rates) > 1, any(rule.excluded)  # most rules do neither
    return [
        Counted(
            line.id,
            amount_of(line, rule.base, tax_included=purchase.tax_included),
            nearest(line.category, rates) if rated else None,
        )
        for line in purchase.lines
        if line.kind in rule.kinds and not (barred and _excluded(rule, line))
    ]


def amount_of(line: Line, base: AmountBase, *, tax_included: bool) -> int:
    """What of a line counts, never below nothing. `tax` is the whole line's, as it was charged."""
    amount = line.net if base.discounted else line.amount
    if tax_included and not base.taxed:
        return max(amount - line.tax, 0)
    if base.taxed and not tax_included:
        return amount + line.tax
    return amount


def _excluded(rule: EarningRule, line: Line) -> bool:
    categories, skus, brands = rule.excluded
    return (
        line.sku in skus or line.brand in brands or nearest(line.category, categories) is not None
    )
