"""Tables that list what code knows: equal to it, row by row."""

from collections.abc import Iterable, Sequence

import pytest
import typer.main

from loyalty_app.cli import app

from . import tables
from .page import ROOT, table

CONDITIONS = ROOT / "docs" / "conditions.md"
GRAPHQL = ROOT / "docs" / "graphql.md"
OPERATING = ROOT / "docs" / "operating.md"
PLUGINS = ROOT / "docs" / "plugins.md"
PRIVACY = ROOT / "docs" / "privacy.md"


def drawn(rows: Iterable[Sequence[str]]) -> str:
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


@pytest.mark.parametrize("rows", [tables.scopes, tables.codes, tables.limits, tables.numbers])
def test_the_table_of_the_guide_is_what_the_code_says(rows: object) -> None:
    assert callable(rows)
    expected = drawn(rows())
    assert f"---|\n{expected}\n" in GRAPHQL.read_text("utf-8"), f"it should be\n{expected}"


@pytest.mark.parametrize(
    "rows", [tables.purchase_names, tables.activity_names, tables.common_names]
)
def test_the_names_of_conditions_are_what_the_code_says(rows: object) -> None:
    assert callable(rows)
    expected = drawn(rows())
    assert f"---|\n{expected}\n" in CONDITIONS.read_text("utf-8"), f"it should be\n{expected}"


def test_every_setting_is_in_the_table() -> None:
    assert [row[0] for row in table(OPERATING, "Settings")] == list(tables.setting_names())


def test_every_slot_of_a_plugin_is_in_the_table() -> None:
    assert [row[0] for row in table(PLUGINS, "Its record")] == list(tables.slot_names())


def test_every_effect_is_in_the_table() -> None:
    named = ", ".join(row[0] for row in table(PLUGINS, "Rules"))
    assert named.split(", ") == list(tables.effect_names())


def test_every_command_is_in_the_table() -> None:
    found = typer.main.get_command(app)
    assert [row[0] for row in table(OPERATING, "Commands")] == list(tables.command_names(found))


def test_every_term_of_retention_is_in_the_table() -> None:
    expected = drawn(tables.retention_terms())
    assert f"---|\n{expected}\n" in PRIVACY.read_text("utf-8"), f"it should be\n{expected}"


def test_a_row_too_many_or_too_few_is_seen() -> None:
    rows = table(OPERATING, "Settings")
    assert len(rows) == len(list(tables.setting_names()))
    assert rows[0][1].startswith("PostgreSQL")
