"""The chart passes Helm's own lint, and Kubernetes takes what it renders, field by field."""

import json
from collections.abc import Iterator
from functools import cache

import helm_python
import kubernetes_validate
import pytest
from kubernetes_validate import utils

from .chart import CASES, CHART, Object, by_template, named, objects, rendered

VERSIONS = ("1.30", "1.37")  # the oldest that the chart takes, and the newest that is known
# Of operators, which Kubernetes itself knows nothing of: `test_custom_resources` looks at them.
CUSTOM = {"Cluster", "ExternalSecret", "HTTPRoute", "PrometheusRule", "ServiceMonitor"}


@pytest.mark.parametrize("case", CASES)
def test_lint_finds_nothing(case: str) -> None:
    report = helm_python.lint(str(CHART), CASES[case].values, strict=True)
    assert report["errors"] == []
    assert [m["error"] for m in report["messages"]] == ["icon is recommended"]


@pytest.fixture(scope="module", autouse=True)
def schemas() -> Iterator[None]:
    """Of each version once: they are megabytes, and read anew for every object otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "schema_contents", cache(utils.schema_contents))
        yield


def distinct() -> dict[str, tuple[Object, list[str]]]:
    """What the cases make, each once, with the cases that make it."""
    found: dict[str, tuple[Object, list[str]]] = {}
    for case in CASES:
        for one in objects(case):
            if one["kind"] not in CUSTOM:
                found.setdefault(json.dumps(one, sort_keys=True), (one, []))[1].append(case)
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_one_of_kubernetes(version: str) -> None:
    wrong = []
    for one, cases in distinct().values():
        try:
            kubernetes_validate.validate(one, version, strict=True)
        except utils.ValidationError as error:
            wrong.append((one["kind"], one["metadata"]["name"], cases, error.message))
    assert wrong == []


def test_what_is_no_field_of_kubernetes_is_seen() -> None:
    deployment = named(objects("managed"), "Deployment", "-api")
    deployment["spec"]["template"]["spec"]["containers"][0]["livenessProb"] = {}
    with pytest.raises(utils.ValidationError, match="livenessProb"):
        kubernetes_validate.validate(deployment, VERSIONS[0], strict=True)


@pytest.mark.parametrize("case", CASES)
def test_names_are_short_and_each_is_there_once(case: str) -> None:
    found = [(one["kind"], one["metadata"]["name"]) for one in objects(case)]
    assert len(found) == len(set(found)) > 5
    assert [name for _, name in found if len(name) > 63 - len("-12345")] == []


@pytest.mark.parametrize("case", CASES)
def test_every_object_says_whose_it_is(case: str) -> None:
    for one in objects(case):
        labels = one["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == CASES[case].release
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["app.kubernetes.io/component"]


def test_every_template_makes_something_somewhere() -> None:
    used = {path for case in CASES for path, made in by_template(case).items() if made}
    there = {
        str(path.relative_to(CHART)) for path in (CHART / "templates").rglob("*") if path.is_file()
    }
    assert there - used == {path for path in there if path.endswith((".tpl", "NOTES.txt"))}


def test_notes_tell_what_to_do_next() -> None:
    notes = dict(rendered("trial"))["loyalty/templates/NOTES.txt"]
    assert "helm test shop --namespace brands" in notes
    assert "deploy/shop-loyalty-api" in notes
