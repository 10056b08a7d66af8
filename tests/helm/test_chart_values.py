"""Values: each is documented and described by the schema, and what cannot be meant is refused."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import helm_python
import pytest
import yaml

from tests.docs.page import ROOT, blocks

from . import reference
from .chart import CASES, CHART, Case, render
from .reference import Place

TEXT = (CHART / "values.yaml").read_text("utf-8")
VALUES = yaml.safe_load(TEXT)
SCHEMA = json.loads((CHART / "values.schema.json").read_text("utf-8"))


def test_readme_and_schema_are_what_the_values_say() -> None:
    assert {
        path.name for path, text in reference.written().items() if path.read_text("utf-8") != text
    } == set(), "run `make chart-reference`"


def test_every_value_is_documented() -> None:
    described = reference.descriptions(TEXT)
    found = [place for place, _ in reference.keys(VALUES, described)]
    assert [place for place in found if place not in described] == []
    assert [place for place in described if place not in found] == []
    assert len(found) > 100


def test_a_value_without_a_word_is_seen() -> None:
    text = TEXT.replace("  # -- Its class.\n", "")
    described = reference.descriptions(text)
    found = [place for place, _ in reference.keys(yaml.safe_load(text), described)]
    assert [place for place in found if place not in described] == [("ingress", "className")]


def properties(schema: Mapping[str, Any], above: Place = ()) -> Iterator[Place]:
    """Every property that the schema knows by name, sections aside."""
    for name, one in schema["properties"].items():
        if "properties" in one:
            yield from properties(one, (*above, name))
        else:
            yield (*above, name)


def test_the_schema_knows_every_value_and_no_other() -> None:
    described = reference.descriptions(TEXT)
    there = {place for place, _ in reference.keys(VALUES, described)}
    assert set(properties(SCHEMA)) - {("global",)} == there


def test_every_section_of_the_schema_is_closed() -> None:
    def open_ones(schema: Mapping[str, Any], name: str) -> Iterator[str]:
        if "properties" in schema and schema.get("additionalProperties") is not False:
            yield name
        for inner, one in schema.get("properties", {}).items():
            yield from open_ones(one, f"{name}.{inner}")

    assert list(open_ones(SCHEMA, "values")) == []


@pytest.fixture(scope="module")
def chart() -> Iterator[helm_python.Chart]:
    with helm_python.Chart.load(str(CHART)) as loaded:
        yield loaded


@pytest.mark.parametrize("case", CASES)
def test_the_schema_takes_what_is_right(chart: helm_python.Chart, case: str) -> None:
    chart.validate_schema(CASES[case].values)


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"replicas": 3}, "replicas"),
        ({"api": {"replica": 3}}, "replica"),
        ({"api": {"replicas": 0}}, "/api/replicas"),
        ({"api": {"replicas": "3"}}, "/api/replicas"),
        ({"api": {"resources": {"limits": {"memory": None}}}}, "/api/resources/limits"),
        ({"api": {"resources": {"limits": {"cpu": "much"}}}}, "/api/resources/limits/cpu"),
        ({"api": {"shutdown": {"graceSeconds": 5}}}, "/api/shutdown/graceSeconds"),
        ({"api": {"autoscaling": {"targetCPU": 170}}}, "/api/autoscaling/targetCPU"),
        ({"api": {"spread": "Never"}}, "/api/spread"),
        ({"image": {"digest": "sha256:1"}}, "/image/digest"),
        ({"listenOn": "127.0.0.1"}, "/listenOn"),
        ({"settings": {"TENANT_RATE": "1"}}, "propertyName 'TENANT_RATE'"),
        ({"settings": {"LOYALTY_TENANT_RATE": 1}}, "/settings/LOYALTY_TENANT_RATE"),
        ({"settings": {"LOYALTY_APP_DATABASE_URL": "x"}}, "propertyName"),
        ({"settings": {"LOYALTY_OPERATOR_SECRET": "x"}}, "propertyName"),
        ({"settings": {"LOYALTY_REDIS_URL_FILE": "x"}}, "propertyName"),
        ({"settings": {"LOYALTY_PORT": "80"}}, "propertyName 'LOYALTY_PORT'"),
        ({"paths": ["graphql"]}, "/paths/0"),
        ({"networkPolicy": {"postgres": {"to": [{"cidr": "10.0.0.0/8"}]}}}, "/networkPolicy"),
        ({"networkPolicy": {"postgres": {"to": [{}]}}}, "/networkPolicy/postgres/to/0"),
        ({"metrics": {"port": 8000}}, "/metrics/port"),
        ({"metrics": {"rules": {"runbooks": "here"}}}, "/metrics/rules/runbooks"),
        ({"traces": {"endpoint": "http://user:secret@collector"}}, "/traces/endpoint"),
        ({"logs": {"level": "LOUD"}}, "/logs/level"),
        ({"pods": {"user": 0}}, "/pods/user"),
        ({"valkey": {"user": 0}}, "/valkey/user"),
        ({"audit": {"job": {"schedule": "nightly"}}}, "/audit/job/schedule"),
        ({"api": {"trustedDocuments": {"configMap": "Our documents"}}}, "/api/trustedDocuments"),
        ({"api": {"trustedDocuments": {"key": "../documents.json"}}}, "/api/trustedDocuments/key"),
        ({"api": {"trustedDocuments": {"key": ""}}}, "/api/trustedDocuments/key"),
    ],
)
def test_the_schema_refuses_what_is_wrong(
    chart: helm_python.Chart, values: dict[str, Any], place: str
) -> None:
    with pytest.raises(helm_python.HelmValuesError, match=re.escape(place)):
        chart.validate_schema(values)


@pytest.mark.parametrize(
    ("file", "values", "said"),
    [
        ("", {}, "secrets: name where they come from"),
        ("managed", {"secrets": {"generate": True}}, "by exactly one of"),
        ("managed", {"secrets": {"existing": "", "generate": True}}, "(postgres.enabled)"),
        ("trial", {"valkey": {"enabled": False}}, "set valkey.enabled, or redis.enabled to false"),
        ("external", {"secrets": {"external": {"entry": ""}}}, "the entry in it (entry)"),
        ("managed", {"networkPolicy": {"postgres": {"to": []}}}, "networkPolicy.postgres.to: say"),
        ("managed", {"networkPolicy": {"redis": {"to": []}}}, "networkPolicy.redis.to: say where"),
        ("external", {"networkPolicy": {"collector": {"to": []}}}, "networkPolicy.collector.to: s"),
        ("external", {"pgbouncer": {"host": ""}}, "pgbouncer.host: say where PostgreSQL is"),
        ("external", {"pgbouncer": {"users": ""}}, "pgbouncer.users: name a Secret"),
        ("managed", {"ingress": {"hosts": []}}, "ingress.hosts: name at least one"),
        ("external", {"gateway": {"parents": []}}, "gateway.parents: name the gateway"),
        ("managed", {"api": {"autoscaling": {"minReplicas": 20}}}, "more than maxReplicas"),
        ("managed", {"api": {"shutdown": {"preStopSeconds": 15}}}, "graceSeconds: at least 41"),
        ("managed", {"api": {"trustedDocuments": {"revision": "1"}}}, "whose revision this is"),
        (
            "managed",
            {
                "api": {"trustedDocuments": {"configMap": "documents"}},
                "settings": {"LOYALTY_TRUSTED_DOCUMENTS": "/documents.json"},
            },
            "api.trustedDocuments says it already",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_with_what_to_do(
    file: str, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(helm_python.HelmRenderError, match=re.escape(said)):
        render(Case(file, values))


def test_the_values_of_the_guide_are_taken() -> None:
    [block] = blocks(ROOT / "docs" / "deploying.md", "yaml")
    made = render(Case(more=yaml.safe_load(block.text)))
    assert "shop-loyalty-api" in made["loyalty/templates/api/deployment.yaml"]
