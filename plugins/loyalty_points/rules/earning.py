"""Points for a purchase: one grant per rule, shared over the lines that earned it."""

from collections.abc import Iterator, Sequence
from typing import Any

from loyalty.effects import Grant
from loyalty.facts import PurchaseRecorded
from loyalty.units import currency_places, format_minor
from loyalty.view import View
from loyalty_points.config import PointsConfig
from loyalty_points.counting import Counted, counted
from loyalty_points.earning_rule import EarningRule, Rounded
from loyalty_points.lifetime import available_at, expires_at
from loyalty_points.scale import shares, steps_value

CURRENCY_NOT_RATED = "CURRENCY_NOT_RATED"
MINIMUM_PURCHASE = "MINIMUM_PURCHASE"


def earn(config: PointsConfig, purchase: PurchaseRecorded, view: View) -> Iterator[Grant]:
    """One grant per rule that gives something.

    A rule that would have looked at the purchase but for its currency or its minimum says so with
    a grant of nothing, cut by `CURRENCY_NOT_RATED` or `MINIMUM_PURCHASE`; a rule none of whose
    lines count says nothing.
    """
    places = unit_places(config, view)
    for rule in config.rules:
        if purchase.currency not in rule.per_minor:
            yield _nothing(config, rule, CURRENCY_NOT_RATED, {"currency": purchase.currency})
            continue
        lines = counted(rule, purchase)
        inputs = _inputs(rule, purchase.currency, lines)
        if 0 < sum([line.amount for line in lines]) < rule.minimum_minor.get(purchase.currency, 0):
            yield _nothing(config, rule, MINIMUM_PURCHASE, inputs)
            continue
        parts = points_by_line(rule, purchase.currency, lines, places)
        if any(parts):
            yield _grant(config, rule, purchase, view, lines, parts, inputs)


def unit_places(config: PointsConfig, view: View) -> int:
    places = view.setup.places(config.unit)
    if places is None:
        raise LookupError(f"program {view.program}: the tenant has no unit {config.unit}")
    return places


def points_by_line(
    rule: EarningRule, currency: str, lines: Sequence[Counted], places: int
) -> list[int]:
    """What each counted line earns, in the unit's minor units; together what the rule wants."""
    scale, per = rule.scale, rule.per_minor[currency]
    each_line = rule.rounded is Rounded.LINE
    amounts = [line.amount for line in lines]
    whole = 10**places
    rates = [scale.numerators[line.category] * whole for line in lines]
    if rule.whole_steps:
        values, denominator = steps_value(amounts, rates, per, each_line=each_line), 1
    else:
        values = [amount * rate for amount, rate in zip(amounts, rates, strict=True)]
        denominator = per
    return shares(values, scale.denominator * denominator, rule.rounding, each_line=each_line)


def _grant(
    config: PointsConfig,
    rule: EarningRule,
    purchase: PurchaseRecorded,
    view: View,
    lines: Sequence[Counted],
    parts: Sequence[int],
    inputs: dict[str, Any],
) -> Grant:
    terms = rule.terms or config.terms
    wanted = sum(parts)
    return Grant(
        unit=config.unit,
        wanted=wanted,
        granted=wanted,
        rule=rule.id,
        label=rule.label,
        accounting_class=rule.accounting_class,
        lines={line.id: part for line, part in zip(lines, parts, strict=True) if part},
        available_at=available_at(terms, purchase.occurred_at, view.zone),
        expires_at=expires_at(terms, purchase.occurred_at, view.zone),
        take_back=terms.take_back,
        inputs=inputs,
    )


def _nothing(config: PointsConfig, rule: EarningRule, why: str, inputs: dict[str, Any]) -> Grant:
    return Grant(
        unit=config.unit,
        wanted=0,
        granted=0,
        rule=rule.id,
        label=rule.label,
        accounting_class=rule.accounting_class,
        cut_by=why,
        inputs=inputs,
    )


def _inputs(rule: EarningRule, currency: str, lines: Sequence[Counted]) -> dict[str, Any]:
    """What the decision keeps: the counted amount and its rate, and where another rate applied."""
    places = currency_places(currency) or 0
    inputs: dict[str, Any] = {
        "currency": currency,
        "base": rule.base,
        "amount": format_minor(sum([line.amount for line in lines]), places),
        "points": rule.points,
        "per": rule.per[currency],
    }
    rated: dict[str, int] = {}
    for line in lines:
        if line.category is not None:
            rated[line.category] = rated.get(line.category, 0) + line.amount
    if rated:
        points = {rate.category: rate.points for rate in rule.categories}
        inputs["categories"] = {
            category: {"amount": format_minor(amount, places), "points": points[category]}
            for category, amount in rated.items()
        }
    return inputs
