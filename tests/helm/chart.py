"""The chart rendered as Helm renders it, over a matrix of values; nothing of it needs a cluster."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import yaml

CHART = Path(__file__).parents[2] / "helm" / "loyalty"
RELEASE, NAMESPACE = "shop", "brands"
Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A set of values, those of a file in `ci/` first, at an installation or an upgrade."""

    file: str = ""
    more: Mapping[str, Any] = field(default_factory=dict, hash=False)
    upgrade: bool = False
    release: str = RELEASE

    @property
    def values(self) -> dict[str, Any]:
        text = (CHART / "ci" / f"{self.file}.yaml").read_text("utf-8") if self.file else ""
        return _merged(yaml.safe_load(text) or {}, self.more)


def _merged(values: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """What Helm makes of two files of values: objects are merged, all else is replaced."""
    for name, value in more.items():
        both = isinstance(value, Mapping) and isinstance(values.get(name), dict)
        values[name] = _merged(values[name], value) if both else value
    return values


LONG = "a-name-that-is-longer-than-all-others-are"
CASES: Mapping[str, Case] = {
    "trial": Case("trial"),
    "trial, upgraded": Case("trial", upgrade=True),
    "trial with PgBouncer": Case("trial", {"pgbouncer": {"enabled": True}}),
    "trial without Redis": Case(
        "trial", {"redis": {"enabled": False}, "valkey": {"enabled": False}}
    ),
    "managed": Case("managed"),
    "managed, upgraded": Case("managed", upgrade=True),
    "managed, passwords set, metrics": Case(
        "managed", {"migration": {"passwords": True}, "metrics": {"enabled": True}}
    ),
    "managed, trusted documents": Case(
        "managed",
        {
            "api": {"trustedDocuments": {"configMap": "shop-documents", "revision": "1f2e"}},
            "pods": {"annotations": {"team": "shop"}},
        },
    ),
    "external": Case("external"),
    "external, upgraded": Case("external", upgrade=True),
    "external, no way to the world": Case(
        "external", {"networkPolicy": {"https": {"enabled": False}}}
    ),
    "bare": Case("bare"),
    "a long name": Case("external", {"fullnameOverride": LONG + LONG}, release=LONG),
    "IPv6": Case("managed", {"listenOn": "::", "api": {"spread": "DoNotSchedule"}}),
}


@cache
def rendered(case: str) -> tuple[tuple[str, str], ...]:
    """The templates of a case with what came of each."""
    return tuple(render(CASES[case]).items())


def render(case: Case) -> dict[str, str]:
    with helm_python.Chart.load(str(CHART)) as chart:
        return chart.render(
            case.values, name=case.release, namespace=NAMESPACE,
            is_install=not case.upgrade, is_upgrade=case.upgrade,
        )  # fmt: skip


def objects(case: str) -> list[Object]:
    """Every object of a case; new ones at each call, to be changed at will."""
    return [deepcopy(one) for found in by_template(case).values() for one in found]


@cache
def by_template(case: str) -> Mapping[str, list[Object]]:
    """The objects of a case by the path of their template."""
    return {
        path.removeprefix("loyalty/"): [one for one in load(text) if one]
        for path, text in rendered(case)
        if path.endswith(".yaml")
    }


def load(text: str) -> Iterator[Any]:
    """The documents of a YAML file, as fast as the machine has it."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    yield from yaml.load_all(text, Loader=loader)


def of_kind(found: list[Object], kind: str) -> list[Object]:
    return [one for one in found if one["kind"] == kind]


def named(found: list[Object], kind: str, end: str = "") -> Object:
    """The one object of this kind whose name ends so."""
    [one] = [one for one in of_kind(found, kind) if one["metadata"]["name"].endswith(end)]
    return one
