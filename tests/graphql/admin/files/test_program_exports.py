"""`loyalty programs export`: comments stay, the order is the reference's, it moves."""

from pathlib import Path
from typing import Any

import pytest

from tests.graphql.admin.documents import done

from .corner import FILE, Run, of


async def test_an_export_keeps_the_comments_of_the_file(run: Run, brand: Any, file: Path) -> None:
    await run("programs", "apply", "corner.yaml", "--yes")
    unchanged = await run("programs", "export", "corner", "--to", "corner.yaml")
    assert unchanged.exit_code == 0
    assert file.read_text() == FILE

    program = await of(brand)
    config = program["config"]
    config["rules"][1]["points"] = "2"
    config["rules"][0]["label"] = "several\nlines of\ntext"
    config["terms"]["lifetime"] = {"span": "P1Y"}
    await done(
        brand.admin, "updateProgram",
        id=program["id"], expectedVersion=program["version"], config=config,
    )  # fmt: skip

    exported = await run("programs", "export", "corner", "--to", "corner.yaml")

    assert exported.exit_code == 0, exported.exception
    assert (
        file.read_text()
        == FILE.replace('points: "0.5"', 'points: "2"').replace(
            "label: 1 per dollar  # on every receipt",
            "label: |-  # on every receipt\n        several\n        lines of\n        text",
        )
        + "    lifetime:\n      span: P1Y\n"
    )
    assert (await run("programs", "diff", "corner.yaml")).exit_code == 0


async def test_a_new_file_says_things_in_the_order_of_the_reference(
    run: Run, brand: Any, file: Path
) -> None:
    """Not in the one in which the database keeps the keys of a document: by their length."""
    await run("programs", "apply", "corner.yaml", "--yes")
    text = (await run("programs", "export", "corner")).output
    assert text[text.index("config:") :].startswith(
        "config:\n  unit: beans\n  rules:\n    - id: spend\n      label: 1 per dollar\n"
        "      accounting_class: MATERIAL_RIGHT\n"
    ), text


async def test_a_whole_file_moves_a_program_to_another_tenant(
    run: Run, brand: Any, make_brand: Any, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run("programs", "apply", "corner.yaml", "--yes")
    text = (await run("programs", "export", "corner")).output
    other = await make_brand(config=None)
    monkeypatch.setenv("LOYALTY_KEY", other.admin.credential)
    (file.parent / "moved.yaml").write_text(text)

    assert (await run("programs", "apply", "moved.yaml", "--yes")).exit_code == 0

    there, here = await of(other), await of(brand)
    assert there["config"] == here["config"]
    assert (there["slug"], there["kind"], there["name"]) == ("corner", "points", "Corner points")
