"""The cookbook: each page shows its template as it ships, and tells a story that comes out so.

A story of points is a table: when, what Ada does, what each rule gives her, what she has then. It
is settled by the kernel itself, in memory; the same programs are played over the API in
tests/scenarios, and so are those of other kinds.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from loyalty.facts import MemberRef
from loyalty.purchase import Line
from loyalty.units import format_minor
from loyalty_app.installed import installed
from loyalty_cashback.facts import PayoutDue, PayoutRequested
from loyalty_cashback.plugin import plugin as cashback
from loyalty_points.plugin import plugin as points
from loyalty_tenants.templates import Template, templates_of
from tests.plugins.points.till import ADA, Till, minor

from .page import ROOT, blocks, table

COOKBOOK = ROOT / "docs" / "cookbook"
PLUGINS = {plugin.name: plugin for plugin in (points, cashback)}
SHIPPED = {template.slug: template for template in templates_of([*PLUGINS.values()])}
ALL = {template.slug: template for template in templates_of(installed())}
GOODS = re.compile(r"(?P<amount>[\d.]+)(?: of (?P<category>\S+))?(?: x(?P<pieces>\d+))?")
PART = re.compile(r"(?P<amount>[\d.]+) (?P<kind>[A-Z_]+)")


def page(slug: str) -> Path:
    return COOKBOOK / f"{slug}.md"


def test_every_template_has_its_page() -> None:
    assert {path.stem for path in COOKBOOK.glob("*.md")} == {*ALL, "index"}
    listed = (COOKBOOK / "index.md").read_text("utf-8")
    assert [slug for slug in ALL if f"]({slug}.md)" not in listed] == []


@pytest.mark.parametrize("slug", ALL)
def test_a_page_shows_the_file_as_it_ships(slug: str) -> None:
    (shown,) = blocks(page(slug), "yaml")
    assert shown.title == f"plugins/loyalty_{ALL[slug].kind}/templates/{slug}.yaml"
    assert shown.text == (ROOT / shown.title).read_text("utf-8") == ALL[slug].source


@pytest.mark.parametrize("slug", SHIPPED)
def test_a_story_comes_out_as_the_page_tells_it(slug: str) -> None:
    told = table(page(slug), "The story")
    assert len(told) >= 4
    assert [list(row) for row in played(SHIPPED[slug], told)] == told


def played(template: Template, told: list[list[str]]) -> Iterator[tuple[str, str, str, str]]:
    """The rows of a story as they come out."""
    places = {unit.code: unit.places for unit in template.units}
    till = Till(dict(template.config), places=places, plugin=PLUGINS[template.kind])
    for at, what, _, _ in told:
        till.comes(at)
        acts(till, what)
        yield at, what, given(till, template), till.balance(template.config["unit"])


def acts(till: Till, what: str) -> None:
    verb, _, rest = what.partition(" ")
    match verb:
        case "buys":
            goods, _, paid = rest.partition(", paid ")
            parts = {found["kind"]: found["amount"] for found in PART.finditer(paid)}
            till.buys(*map(line, range(9), goods.split(" + ")), paid=parts)
        case "does":
            activity, *attributes = rest.split(" ")
            till.does(activity, **dict(map(attribute, attributes)))
        case "returns":
            assert rest == "it"
            till.brings_back()
        case "chooses":
            choice, option = rest.split(" ")
            till.chooses(choice, option)
        case "is":
            assert rest == "paid the statement"
            till.tells(
                PayoutDue(
                    member=MemberRef(id=ADA), occurred_at=till.at, program="club",
                    unit=till.config.unit, day=till.at.date().isoformat(), payout=uuid4(),
                )
            )  # fmt: skip
        case _:
            raise AssertionError(f"Ada cannot {verb}")


def line(at: int, text: str) -> Line:
    found = GOODS.fullmatch(text)
    assert found, text
    made = Line(id=str(at), amount=minor(found["amount"]), category=found["category"])
    return replace(made, quantity=int(found["pieces"] or 1) * 1000)


def attribute(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    return name, int(value) if value.isdecimal() else value


def given(till: Till, template: Template) -> str:
    """What each rule gave, such as `10 by spend, 5 tier_credits by spend`."""
    rows = []
    for row in till.body.get("grants", ()):
        if row["granted"]:
            unit = "" if row["unit"] == template.config["unit"] else f" {row['unit']}"
            amount = format_minor(row["granted"], till.setup.places(row["unit"]) or 0)
            rows.append(f"{amount}{unit} by {row['rule']}")
    for told in till.body.get("emitted", ()):
        if told["kind"] == PayoutRequested.KIND:
            rows.append(f"{told['payload']['amount']} paid out")
    return ", ".join(rows) or "nothing"


def test_a_story_that_comes_out_differently_is_seen() -> None:
    told = [["2026-03-10 12:00", "buys 105.00", "11 by spend", "11"]]
    [row] = played(SHIPPED["square"], told)
    assert row == ("2026-03-10 12:00", "buys 105.00", "10 by spend", "10")
