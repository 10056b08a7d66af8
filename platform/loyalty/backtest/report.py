"""Two sides beside each other: what a draft would have come to, against what was published.

The report is plain JSON with amounts in minor units:

    {"program": "points", "since": …, "before": …, "zone": …, "begins": …,
     "facts": {"PurchaseRecorded": 155848}, "warmed_up": 0,
     "left_out": {"published": {}, "draft": {}}, "failures": {},
     "loaded": [],
     "rules": [{"rule": "points/base", "label": …, "unit": "points", BOTH}],
     "units": [{"unit": "points", "places": 0, "currency": "USD", BOTH,
                "months": [{"month": "2017-01", BOTH}],
                "categories": [{"category": "GROCERY", BOTH}],
                "members": {"better": 1, "worse": 2, "same": 3, "gain": [MEMBER],
                            "lose": [MEMBER]}}]}

    BOTH    "published": SUM, "draft": SUM
    SUM     {"times": 3, "granted": 30, "taken": 5, "cost": 25}     cost: null where none is known
    MEMBER  {"id": …, "published": 10, "draft": 20}
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.backtest.cost import Cost
from loyalty.backtest.reach import loaded
from loyalty.backtest.side import Side
from loyalty.backtest.tally import Key, Sum, Tally
from loyalty.days import iso
from loyalty.plugin_set import PluginSet
from loyalty.setup import Setup

MEMBERS_SHOWN = 10

Report = dict[str, Any]
Sums = Mapping[Key, Sum]


def report(
    setup: Setup, plugins: PluginSet, published: Side, draft: Side, before: datetime,
    prices: Mapping[str, Cost],
) -> Report:  # fmt: skip
    """Both sides were walked over the same facts, for the same program; `prices` are what units
    cost, of those where that is known."""
    ours, theirs = published.tally, draft.tally
    units = sorted(
        {unit for tally in (ours, theirs) for program, _, unit in tally.rules
         if program == ours.program}
    )  # fmt: skip
    return {
        "program": ours.program, "zone": str(ours.zone), "since": iso(ours.since),
        "before": iso(before), "begins": iso(min(published.begins, draft.begins)),
        "facts": dict(sorted(draft.kinds.items())), "warmed_up": draft.warmed_up,
        "left_out": {
            "published": dict(sorted(published.left_out.items())),
            "draft": dict(sorted(draft.left_out.items())),
        },
        "failures": dict(draft.failures.most_common(5)),
        "loaded": loaded(setup, plugins),
        "rules": list(_rules(ours, theirs, _Pair(setup, prices))),
        "units": [_unit(unit, ours, theirs, _Pair(setup, prices)) for unit in units],
    }  # fmt: skip


class _Pair:
    """Writes the two sums of a row, each with its cost."""

    def __init__(self, setup: Setup, prices: Mapping[str, Cost]) -> None:
        self.setup, self.prices = setup, prices

    def __call__(self, unit: str, published: Sum, draft: Sum) -> dict[str, Any]:
        return {"published": self._plain(unit, published), "draft": self._plain(unit, draft)}

    def currency(self, unit: str) -> str | None:
        price = self.prices.get(unit)
        return None if price is None else price.currency

    def places(self, unit: str) -> int:
        return self.setup.places(unit) or 0

    def _plain(self, unit: str, of: Sum) -> dict[str, Any]:
        price = self.prices.get(unit)
        return {
            "times": of.times, "granted": of.granted, "taken": of.taken,
            "cost": None if price is None else price.of(of.net, self.places(unit)),
        }  # fmt: skip


def _rules(ours: Tally, theirs: Tally, pair: _Pair) -> Iterable[dict[str, Any]]:
    """The program's rules; those of others only where the draft makes them another sum."""
    for key in sorted({*ours.rules, *theirs.rules}):
        program, rule, unit = key
        published, draft = ours.rules.get(key, Sum()), theirs.rules.get(key, Sum())
        if program == ours.program or published != draft:
            label = theirs.labels.get(key) or ours.labels.get(key) or ""
            named = {"rule": f"{program}/{rule}", "label": label, "unit": unit}
            yield {**named, **pair(unit, published, draft)}


def _unit(unit: str, ours: Tally, theirs: Tally, pair: _Pair) -> dict[str, Any]:
    months = _rows("month", unit, ours.months, theirs.months, pair, lambda row: row["month"])
    categories = _rows("category", unit, ours.categories, theirs.categories, pair, _largest)
    return {
        "unit": unit, "places": pair.places(unit), "currency": pair.currency(unit),
        **pair(unit, _all(ours.months, unit), _all(theirs.months, unit)),
        "months": months, "categories": categories,
        "members": _members(ours.members.get(unit, {}), theirs.members.get(unit, {})),
    }  # fmt: skip


def _rows(
    name: str, unit: str, ours: Sums, theirs: Sums, pair: _Pair,
    order: Callable[[dict[str, Any]], Any],
) -> list[dict[str, Any]]:  # fmt: skip
    names = {key[1] for sums in (ours, theirs) for key in sums if key[0] == unit}
    rows = [
        {name: one, **pair(unit, ours.get((unit, one), Sum()), theirs.get((unit, one), Sum()))}
        for one in names
    ]
    return sorted(rows, key=order)


def _largest(row: Mapping[str, Any]) -> tuple[int, str]:
    return -max(row[side]["granted"] for side in ("published", "draft")), row["category"]


def _all(sums: Sums, unit: str) -> Sum:
    ours = [of for key, of in sums.items() if key[0] == unit]
    return Sum(*(sum(getattr(of, name) for of in ours) for name in ("times", "granted", "taken")))


def _members(ours: Mapping[UUID, int], theirs: Mapping[UUID, int]) -> dict[str, Any]:
    changes = [
        (theirs.get(member, 0) - ours.get(member, 0), str(member))
        for member in {*ours, *theirs}
    ]  # fmt: skip
    gain = sorted((one for one in changes if one[0] > 0), key=lambda one: (-one[0], one[1]))
    lose = sorted(one for one in changes if one[0] < 0)

    def shown(some: list[tuple[int, str]]) -> list[dict[str, Any]]:
        return [
            {
                "id": ident,
                "published": ours.get(UUID(ident), 0),
                "draft": theirs.get(UUID(ident), 0),
            }
            for _, ident in some[:MEMBERS_SHOWN]
        ]

    return {
        "better": len(gain), "worse": len(lose), "same": len(changes) - len(gain) - len(lose),
        "gain": shown(gain), "lose": shown(lose),
    }  # fmt: skip
