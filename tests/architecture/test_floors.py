"""The contracts of import-linter: kept here, and each goes red when somebody breaks it."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from .sources import REPO, ROOTS

# One fault for each contract, by its first words.
PLANTED = {
    "Each floor stands only": ("tenants/loyalty_tenants/scopes.py", "import loyalty_graphql"),
    "Rules, facts, effects": ("platform/loyalty/settlement/sale.py", "import random"),
    "What a plugin decides": ("plugins/loyalty_points/earning.py", "import loyalty.database"),
    "Only GraphQL's own floor": ("platform/loyalty/journal.py", "import strawberry"),
    "Compiled GraphQL knows": (
        "graphql_schema/compiled_graphql/paths.py",
        "import loyalty.units",
    ),
    "The kernel's floor knows": ("platform/loyalty/audit.py", "import tortoise.models"),
}


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    return tomllib.loads((REPO / "pyproject.toml").read_text())


def lint(folder: Path) -> str:
    """What import-linter says of the sources in a folder, under this repository's contracts."""
    script = "from importlinter.cli import lint_imports_command as lint; raise SystemExit(lint())"
    path = os.pathsep.join(str(folder / root) for root in ROOTS)
    done = subprocess.run(
        [sys.executable, "-c", script, "--no-cache"],
        cwd=folder, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for root in ROOTS:
        ignored = shutil.ignore_patterns("__pycache__", "static")
        shutil.copytree(REPO / root, tmp_path / root, ignore=ignored)
    shutil.copy(REPO / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_is_kept(settings: dict[str, Any]) -> None:
    contracts = settings["tool"]["importlinter"]["contracts"]

    said = lint(REPO)

    assert f"Contracts: {len(contracts)} kept, 0 broken." in said, said


def test_every_contract_sees_what_breaks_it(copy: Path, settings: dict[str, Any]) -> None:
    names = [c["name"] for c in settings["tool"]["importlinter"]["contracts"]]
    assert {name for name in names if name.startswith(tuple(PLANTED))} == set(names)
    for path, line in PLANTED.values():
        with (copy / path).open("a") as file:
            file.write(f"\n{line}\n")

    said = lint(copy)

    assert [name for name in names if f"{name} BROKEN" in said] == names, said


def test_every_package_stands_on_a_floor(settings: dict[str, Any]) -> None:
    packages = {
        path.name
        for root in ROOTS
        for path in (REPO / root).iterdir()
        if (path / "__init__.py").exists()
    }
    linter = settings["tool"]["importlinter"]
    (layers,) = (c["layers"] for c in linter["contracts"] if c["type"] == "layers")
    floors = {name.strip() for layer in layers for name in layer.split("|")}
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

    assert packages == set(linter["root_packages"]) == floors
    assert packages == {path.rpartition("/")[2] for path in wheel}
    plugins = {path.name for path in (REPO / "plugins").iterdir() if path.is_dir()}
    assert any(plugins == {n.strip() for n in layer.split("|")} for layer in layers)


def test_every_plugin_is_as_pure_as_the_kernel(settings: dict[str, Any]) -> None:
    contracts = settings["tool"]["importlinter"]["contracts"]
    pure = {
        module for c in contracts if c["name"].startswith("What a plugin")
        for module in c["source_modules"]
    }  # fmt: skip
    points = settings["project"]["entry-points"]["loyalty.plugins"].values()

    assert pure == {point.partition(".")[0] for point in points} | {"loyalty_earning"}
