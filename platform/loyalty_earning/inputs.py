"""What a decision keeps of how a rule came to what it gives."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from loyalty.units import format_minor, format_plain
from loyalty_earning.counting import Counted
from loyalty_earning.curve import Part
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.measures import THOUSANDTHS, Count
from loyalty_earning.occasion import Occasion


def inputs_of(
    rule: EarningRule, occasion: Occasion, found: Counted, part: Part, before: int | None = None
) -> dict[str, Any]:
    """What was counted at which rate, and where another rate applied; `before` is the sum of the
    period up to then, of a rule that has one."""
    _, _, told, places = occasion.rated[rule.id]
    if rule.count is Count.AMOUNT:
        inputs = {**told, "amount": format_minor(found.total, places)}
    else:
        inputs = {**told, rule.count.value: format_plain(found.total, 3)}
    if part != (1, 1):
        inputs["paid"] = f"{part[0]}/{part[1]}"
    if not rule.tariff.is_flat:
        inputs |= _rated(rule, found, places)
    if before is not None:
        inputs["before"] = _summed_up(rule, before, places)
    return inputs


def _summed_up(rule: EarningRule, before: int, places: int) -> str | int:
    """A period's sum as what was counted is told; with rates of their own it is of neither."""
    if not rule.tariff.is_flat:
        return before
    return format_minor(before, places) if rule.count is Count.AMOUNT else format_plain(before, 3)


def summed_before(rule: EarningRule, inputs: Mapping[str, Any]) -> int | None:
    """The sum of its period that a purchase found, from what its decision keeps; None: it keeps
    none. Decisions of before it was told as what is counted is have it as it was."""
    before = inputs.get("before")
    if not isinstance(before, str):
        return before if isinstance(before, int) else None
    if rule.count is Count.AMOUNT:
        return int(before.replace(".", ""))
    return int(Decimal(before) * THOUSANDTHS)


def _rated(rule: EarningRule, counted: Counted, places: int) -> dict[str, Any]:
    """How much was counted at rates other than the rule's own."""
    rated: dict[Any, int] = {}
    for key, amount in zip(rule.tariff.keys(counted.lines), counted.amounts, strict=True):
        if key is not None:
            rated[key] = rated.get(key, 0) + amount
    points, told = rule.tariff.points, rule.told
    found: dict[str, Any] = {}
    for key, amount in rated.items():
        row = {"amount": format_minor(amount, places), told: points[key]}
        if isinstance(key, str):
            found.setdefault("categories", {})[key] = row
        else:
            found.setdefault("rates", {})[str(key)] = row
    return found
