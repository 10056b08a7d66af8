"""`loyalty programs` and `loyalty templates`: against a running API, as CI runs them."""

from pathlib import Path
from typing import Any

import pytest

from loyalty_app.logins import Addresses
from tests.graphql.brand import OPERATOR_SECRET

from .corner import FILE, Run, of


async def test_a_file_becomes_a_program_and_is_in_force(
    run: Run, brand: Any, file: Path, rows: Any
) -> None:
    before = await rows.of(brand.tenant_id)
    shown = await run("programs", "diff", "corner.yaml")
    assert (shown.exit_code, shown.output.splitlines()) == (
        2,
        [
            "corner.yaml: corner",
            "  + program corner (points), 'Corner points'",
            "  + unit beans",
        ],
    )
    tried = await run("programs", "apply", "corner.yaml", "--publish")
    assert tried.exit_code == 0
    assert tried.output.splitlines()[-1] == "Nothing was done. Repeat it with --yes."
    assert await rows.of(brand.tenant_id) == before

    applied = await run("programs", "apply", "corner.yaml", "--publish", "--yes")

    assert applied.exit_code == 0, applied.exception
    assert applied.output.splitlines()[-3:] == [
        "corner.yaml: created the unit beans",
        "corner.yaml: created the draft",
        "corner.yaml: published version 1, from 2026-01-01T17:00:00Z on",
    ]
    program = await of(brand)
    assert (program["name"], program["status"]) == ("Corner points", "ACTIVE")
    assert program["config"]["terms"] == {"pending_days": 14}
    assert file.read_text() == FILE, "a file that is applied is never written to"
    again = await run("programs", "diff", "corner.yaml")
    assert (again.exit_code, again.output) == (0, "corner.yaml: no change\n")
    await run("programs", "apply", "corner.yaml", "--publish", "--yes")
    assert (await of(brand))["version"] == program["version"], "nothing to do is nothing done"


async def test_a_version_that_is_filled_from_history_first_says_so(
    run: Run, brand: Any, file: Path
) -> None:
    await brand.enroll("ada")
    limited = 'minimum_purchase: {USD: "100.00"}\n      limits: [{times: 1, period: day}]'
    file.write_text(FILE.replace('minimum_purchase: {USD: "100.00"}', limited))

    applied = await run("programs", "apply", "corner.yaml", "--publish", "--yes")

    assert applied.output.splitlines()[-1] == (
        "corner.yaml: published version 1, from 2026-01-01T17:00:00Z on, once what it counts is "
        "filled from history: it judges nothing before that"
    )


async def test_a_file_is_in_force_from_the_instant_that_is_named(
    run: Run, brand: Any, file: Path
) -> None:
    """Also where an earlier version that is still to come would take its place."""
    later = ("programs", "apply", "corner.yaml", "--yes", "--from", "2026-03-01T00:00:00-05:00")
    await run("programs", "apply", "corner.yaml", "--yes", "--from", "2026-02-01T00:00:00-05:00")
    file.write_text(FILE.replace('points: "0.5"', 'points: "0.75"'))
    between = await run("programs", "apply", "corner.yaml", "--yes", "--publish")
    assert between.output.splitlines()[-2:] == [
        "corner.yaml: published version 2, from 2026-01-01T17:00:00Z on",
        "corner.yaml: but version 1 takes its place at 2026-02-01T05:00:00Z:"
        " --from 2026-02-01T05:00:00Z puts it there, too",
    ]

    told = [(await run(*later)).output.splitlines()[-1] for _ in range(2)]
    wrong = await run(*later[:-1], "2026-13-01")

    assert told == [
        "corner.yaml: published version 3, from 2026-03-01T05:00:00Z on", "corner.yaml: no change",
    ]  # fmt: skip
    assert (wrong.exit_code, str(wrong.exception)[:19]) == (1, "--from 2026-13-01: ")


async def test_what_differs_is_told_by_rule_and_applied(run: Run, brand: Any, file: Path) -> None:
    await run("programs", "apply", "corner.yaml", "--yes")
    file.write_text(
        FILE.replace('points: "0.5"', 'points: "0.75"')
        .replace("name: Corner points", "name: Corner beans")
        .replace("    # Everybody", "    - {id: first, label: First, accounting_class: MARKETING,"
                 ' points: "9", per: {USD: "1.00"}}\n    # Everybody')
        .replace("    pending_days: 14", "    lifetime: {span: P12M}")
    )  # fmt: skip

    shown = await run("programs", "diff", "corner.yaml")

    assert (shown.exit_code, shown.output.splitlines()) == (
        2,
        [
            "corner.yaml: corner",
            '  ~ corner.name: "Corner points" -> "Corner beans"',
            '  + corner.config.rules[first]: {"id": "first", "label": "First", '
            '"accounting_class": "MARKETING", "points": "9", "per": {"USD": "1.00"}}',
            '  ~ corner.config.rules[big].points: "0.5" -> "0.75"',
            '  + corner.config.terms.lifetime: {"span": "P12M"}',
            "  - corner.config.terms.pending_days: 14",
        ],
    )
    applied = await run("programs", "apply", "corner.yaml", "--yes")
    assert applied.output.splitlines()[-1] == "corner.yaml: changed the draft"
    program = await of(brand)
    assert [rule["id"] for rule in program["config"]["rules"]] == ["first", "spend", "big"]
    assert (program["name"], program["versions"]) == ("Corner beans", [])


MISTAKES = {
    ("  terms:", "  term:"): "27: config.term: unknown key 'term': did you mean 'terms'?",
    ("      label: 1", "      lable: 1"): (
        "14: config.rules.0.lable: unknown key 'lable': did you mean 'label'?"
    ),
    ("slug: corner", "slugg: corner"): "2: unknown key 'slugg': did you mean 'slug'?",
    ("kind: points\n", "kind: point\n"): ("3: kind: unknown key 'point': did you mean 'points'?"),
    ('points: "0.5"', "points: 0.5"): (
        "24: config.rules.1.points: write the number as a string in quotes"
    ),
    ("name: Beans", "nam: Beans"): "7: units.0.nam: unknown key 'nam': did you mean 'name'?",
    ("  unit: beans", "  unit: bean"): "10: config.unit: the tenant has no unit 'bean'",
    ("name: Corner points", "name: Corner points\nname: Twice"): (
        " line 5, column 1: found duplicate key"
    ),
    ("config:\n", "config: [\n"): " line ",
}


@pytest.mark.parametrize(("change", "said"), MISTAKES.items())
async def test_a_mistake_is_told_with_its_line_and_changes_nothing(
    run: Run, brand: Any, file: Path, rows: Any, change: tuple[str, str], said: str
) -> None:
    file.write_text(FILE.replace(*change, 1))
    before = await rows.of(brand.tenant_id)

    refused = await run("programs", "apply", "corner.yaml", "--yes")

    assert refused.exit_code == 1
    assert str(refused.exception).startswith(f"corner.yaml:{said}")
    assert "?." not in str(refused.exception)
    assert await rows.of(brand.tenant_id) == before


async def test_without_a_platform_the_database_will_do(
    run: Run, brand: Any, file: Path, dsn: Addresses, valkey_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name, value in {
        "APP_DATABASE_URL": dsn.app, "REDIS_URL": valkey_url, "OPERATOR_SECRET": OPERATOR_SECRET,
    }.items():  # fmt: skip
        monkeypatch.setenv(f"LOYALTY_{name}", value)

    applied = await run("programs", "apply", "corner.yaml", "--yes", "--tenant", brand.slug)

    assert applied.exit_code == 0, applied.exception
    assert (await of(brand))["name"] == "Corner points"


async def test_who_is_not_named_and_who_may_not_is_told(
    run: Run, brand: Any, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOYALTY_KEY", brand.service.credential)
    refused = await run("programs", "apply", "corner.yaml", "--yes")
    assert (refused.exit_code, str(refused.exception)[:10]) == (1, "FORBIDDEN:")
    monkeypatch.delenv("LOYALTY_KEY")
    assert "LOYALTY_KEY" in str((await run("programs", "diff", "corner.yaml")).exception)
    monkeypatch.setenv("LOYALTY_KEY", "loy_live_nobody")
    assert "UNAUTHENTICATED" in str((await run("programs", "diff", "corner.yaml")).exception)
    monkeypatch.setenv("LOYALTY_URL", "http://127.0.0.1:9")
    assert "does not answer" in str((await run("programs", "diff", "corner.yaml")).exception)


async def test_a_template_is_shown_and_started(run: Run, brand: Any) -> None:
    listed = await run("templates", "list")
    assert "square " in listed.output
    source = (await run("templates", "show", "square")).output
    assert source.startswith("# Square Loyalty")
    unknown = await run("templates", "show", "squares")
    assert "There is no template 'squares'" in str(unknown.exception)

    started = await run("templates", "start", "square", "--slug", "corner")

    assert started.exit_code == 0, started.exception
    program = await of(brand)
    assert (program["status"], program["config"]["rules"][0]["id"]) == ("DRAFT", "spend")
    again = await run("templates", "start", "square", "--slug", "corner")
    assert "there is a program 'corner' already" in str(again.exception)
