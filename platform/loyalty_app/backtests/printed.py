"""A report as tables for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group
from rich.table import Table

from loyalty.backtest.report import Report
from loyalty.backtest.spreadsheet import money
from loyalty.units import format_minor

CATEGORIES_SHOWN = 12
SIDES = ("published", "draft")


def printed(report: Report) -> Group:
    """Totals, rules, months, categories and members, unit by unit; then what to know about it."""
    parts: list[Any] = []
    for unit in report["units"]:
        named = f"{report['program']}, {unit['unit']}"
        rules = [row for row in report["rules"] if row["unit"] == unit["unit"]]
        parts += [
            _table(f"{named}: all", unit, [("all", unit)]),
            _table("By rule", unit, [(row["label"] or row["rule"], row) for row in rules]),
            _table("By month", unit, [(row["month"], row) for row in unit["months"]]),
            _table(
                "By category", unit,
                [(row["category"] or "(none)", row) for row in unit["categories"]],
                most=CATEGORIES_SHOWN,
            ),
            _members(unit),
        ]  # fmt: skip
    return Group(*parts, *notes(report))


def notes(report: Report) -> Iterator[str]:
    """Sentences on what was walked, and on what was left out and why."""
    facts = ", ".join(f"{count:,} {kind}" for kind, count in report["facts"].items()) or "nothing"
    yield f"Replayed: {facts}."
    if report["warmed_up"]:
        yield (
            f"{report['warmed_up']:,} facts since {report['begins']} were replayed before, for "
            "what rules remember."
        )
    for side in SIDES:
        for why, count in report["left_out"][side].items():
            yield f"Left out ({side}): {count:,} facts, {why}."
    for failure, count in report["failures"].items():
        yield f"A rule of the draft failed {count:,} times: {failure}"
    if not report["units"]:
        yield "Neither side granted anything."
    if report["loaded"]:
        yield (
            f"{', '.join(report['loaded'])} read tables of their own: these are empty in a "
            "back-test, so what they granted may differ from what was recorded."
        )


def _table(
    title: str, unit: Mapping[str, Any], rows: list[tuple[str, Mapping[str, Any]]],
    most: int | None = None,
) -> Table:  # fmt: skip
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column()
    for name in ("published", "draft", "change", "%"):
        table.add_column(name, justify="right")
    if priced := unit["currency"] is not None:
        for name in ("cost", "cost of draft"):
            table.add_column(f"{name} {unit['currency']}", justify="right")
    for name, row in rows[:most]:
        published, draft = (row[side]["granted"] - row[side]["taken"] for side in SIDES)
        cells = [*_amounts(published, draft, unit["places"])]
        if priced:
            cells += [_grouped(money(row[side]["cost"], unit["currency"])) for side in SIDES]
        table.add_row(name, *cells)
    if most is not None and len(rows) > most:
        table.add_row(f"… and {len(rows) - most} more")
    return table


def _members(unit: Mapping[str, Any]) -> Table:
    members = unit["members"]
    title = (
        f"Members: {members['better']:,} gain, {members['worse']:,} lose, {members['same']:,} same"
    )
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("most")
    for name in ("published", "draft", "change", "%"):
        table.add_column(name, justify="right")
    for member in (*members["gain"], *members["lose"]):
        amounts = _amounts(member["published"], member["draft"], unit["places"])
        table.add_row(member["externalId"], *amounts)
    return table


def _amounts(published: int, draft: int, places: int) -> Iterator[str]:
    yield _grouped(format_minor(published, places))
    yield _grouped(format_minor(draft, places))
    change = draft - published
    yield ("+" if change > 0 else "") + _grouped(format_minor(change, places))
    yield f"{100 * change / published:+.1f}" if published else ""


def _grouped(number: str) -> str:
    whole, point, part = number.partition(".")
    if not whole.lstrip("-"):
        return number
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-')):,}{point}{part}"
