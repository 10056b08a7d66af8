"""What is written of metrics is what there is: the page, the dashboard and the alerts."""

import json
import re
from collections.abc import Iterator

import prometheus_client
import pytest
import yaml

import loyalty.meters
import loyalty_graphql.meters
from tests.architecture.sources import REPO

PAGE = (REPO / "docs/observing/index.md").read_text()
DASHBOARD = json.loads((REPO / "docs/observing/grafana-dashboard.json").read_text())
ALERTS = yaml.safe_load((REPO / "docs/observing/alerts.yaml").read_text())
METER = prometheus_client.Counter | prometheus_client.Gauge | prometheus_client.Histogram
SUFFIXES = {
    prometheus_client.Counter: ("_total",),
    prometheus_client.Gauge: ("",),
    prometheus_client.Histogram: ("_bucket", "_sum", "_count"),
}


def _meters() -> dict[str, METER]:
    return {
        meter._name: meter
        for module in (loyalty.meters, loyalty_graphql.meters)
        for meter in vars(module).values()
        if isinstance(meter, METER)
    }


def _sampled(name: str, meter: METER) -> Iterator[str]:
    yield from (name + suffix for suffix in SUFFIXES[type(meter)])


EXISTING = {series: meter for name, meter in _meters().items() for series in _sampled(name, meter)}
SHOWN = [t["expr"] for panel in DASHBOARD["panels"] for t in panel["targets"]]
ASKED = SHOWN + [rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("asked", ASKED)
def test_what_is_asked_exists_with_its_labels(asked: str) -> None:
    names = set(re.findall(r"\bloyalty_\w+", asked))
    assert names
    assert names <= set(EXISTING)
    labels = {label for name in names for label in EXISTING[name]._labelnames} | {"le"}
    named = re.findall(r"by \(([^)]*)\)", asked)
    assert {one.strip() for part in named for one in part.split(",")} <= labels
    assert set(re.findall(r"[{,](\w+)=~?\"", asked)) <= labels


def test_every_metric_is_on_the_page_and_on_the_dashboard() -> None:
    rows = set(re.findall(r"^\| `(loyalty_\w+)` \|", PAGE, re.MULTILINE))
    shown = {name for asked in SHOWN for name in re.findall(r"loyalty_\w+", asked)}
    meters = _meters()

    assert rows == {
        name + ("_total" if isinstance(meter, prometheus_client.Counter) else "")
        for name, meter in meters.items()
    }
    assert [n for n, meter in meters.items() if not shown & {*_sampled(n, meter)}] == []


def test_every_alert_has_its_runbook_and_nothing_else_has() -> None:
    alerts = [rule["alert"] for group in ALERTS["groups"] for rule in group["rules"]]
    runbooks = re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)

    assert runbooks == alerts


def test_no_label_grows_with_what_the_platform_holds() -> None:
    allowed = {"operation", "outcome", "kind", "answer", "duty", "queue", "errand", "what", "way"}
    assert {label for meter in _meters().values() for label in meter._labelnames} <= allowed
