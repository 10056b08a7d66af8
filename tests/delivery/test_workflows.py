"""The workflows run what the Makefile has, with pinned actions and no right but to read."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import yaml

from .workflows import FOLDER, faults, made

WORKFLOWS = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in FOLDER.iterdir()}


@pytest.mark.parametrize("file", WORKFLOWS)
def test_a_workflow_has_no_fault(file: str) -> None:
    assert list(faults(file, WORKFLOWS[file])) == []


def test_they_make_what_a_change_must_pass_and_what_a_release_is_made_of() -> None:
    assert made(WORKFLOWS["check.yml"]) == {
        "check", "test", "test-pgbouncer", "faults", "http-audit", "helm-check",
    }  # fmt: skip
    assert made(WORKFLOWS["build.yml"]) == {"wheel", "docs", "chart", "image"}


def test_they_start_with_each_change() -> None:
    for workflow in WORKFLOWS.values():
        when = workflow[True]  # what YAML makes of `on`
        assert {"pull_request", "push"} <= set(when)
        assert "main" in when["push"]["branches"]


def first_step(workflow: dict[Any, Any]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = next(iter(workflow["jobs"].values()))["steps"]
    return steps[0]


@pytest.mark.parametrize(
    ("plant", "what"),
    [
        (lambda w: w.update(permissions="write-all"), "may do more than read"),
        (lambda w: next(iter(w["jobs"].values())).pop("timeout-minutes"), "may run for hours"),
        (lambda w: first_step(w).update(uses="actions/checkout@main"), "is not pinned"),
        (lambda w: first_step(w).update(uses="actions/checkout"), "is not pinned"),
        (lambda w: first_step(w).pop("with"), "leaves its credentials"),
        (lambda w: first_step(w).update(run="make coffee"), "no target coffee"),
        (lambda w: first_step(w).update(run="pytest"), "pytest is no target"),
        (lambda w: first_step(w).update(run="make check && curl x"), "curl is no target"),
        (lambda w: first_step(w).update(run="make ${{ inputs.x }}"), "may become a command"),
    ],
)
def test_what_is_planted_is_found(plant: Callable[[Any], object], what: str) -> None:
    workflow = deepcopy(WORKFLOWS["check.yml"])
    plant(workflow)
    assert any(what in fault for fault in faults("check.yml", workflow))
