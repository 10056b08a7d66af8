"""A report as CSV: one table, a row for each total, rule, month, category and member shown."""

import csv
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

from loyalty.backtest.report import Report
from loyalty.units import currency_places, format_minor

COLUMNS = (
    "part", "unit", "name", "label", "currency",
    "published_times", "published_granted", "published_taken_back", "published_net",
    "published_cost", "draft_times", "draft_granted", "draft_taken_back", "draft_net",
    "draft_cost", "change_net", "change_cost",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet(report: Report) -> str:
    """Amounts in whole units, as decimal numbers; texts of others are never formulas."""
    file = StringIO()
    writer = csv.DictWriter(file, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(_rows(report))
    return file.getvalue()


def _rows(report: Report) -> Iterator[dict[str, Any]]:
    units = {unit["unit"]: unit for unit in report["units"]}
    for name, unit in units.items():
        yield _row("total", unit, report["program"], unit)
        for rule in report["rules"]:
            if rule["unit"] == name:
                yield _row("rule", unit, rule["rule"], rule, label=rule["label"])
        for month in unit["months"]:
            yield _row("month", unit, month["month"], month)
        for category in unit["categories"]:
            yield _row("category", unit, category["category"] or "(none)", category)
        for member in (*unit["members"]["gain"], *unit["members"]["lose"]):
            yield _member(unit, member)


def _row(
    part: str, unit: Mapping[str, Any], name: str, row: Mapping[str, Any], *, label: str = ""
) -> dict[str, Any]:
    places, currency = unit["places"], unit["currency"]
    cells = {
        "part": part, "unit": unit["unit"], "name": text(name), "label": text(label),
        "currency": currency or "",
    }  # fmt: skip
    nets, costs = [], []
    for side in ("published", "draft"):
        of = row[side]
        nets.append(of["granted"] - of["taken"])
        costs.append(of["cost"])
        cells |= {
            f"{side}_times": of["times"],
            f"{side}_granted": format_minor(of["granted"], places),
            f"{side}_taken_back": format_minor(of["taken"], places),
            f"{side}_net": format_minor(nets[-1], places),
            f"{side}_cost": money(of["cost"], currency),
        }
    cells["change_net"] = format_minor(nets[1] - nets[0], places)
    if None not in costs:
        cells["change_cost"] = money(costs[1] - costs[0], currency)
    return cells


def _member(unit: Mapping[str, Any], member: Mapping[str, Any]) -> dict[str, Any]:
    places = unit["places"]
    return {
        "part": "member", "unit": unit["unit"], "name": text(member["externalId"]),
        "published_net": format_minor(member["published"], places),
        "draft_net": format_minor(member["draft"], places),
        "change_net": format_minor(member["draft"] - member["published"], places),
    }  # fmt: skip


def money(minor: int | None, currency: str | None) -> str:
    """Whole units of the currency; nothing where no cost is known."""
    if minor is None or currency is None:
        return ""
    return format_minor(minor, currency_places(currency) or 0)


def text(given: str) -> str:
    """What a spreadsheet would take for a formula is marked as text."""
    return f"'{given}" if given.startswith(_FORMULA) else given
