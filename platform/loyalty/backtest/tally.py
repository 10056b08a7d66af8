"""What a walk comes to: by rule, month, category and member. Whole minor units, plain JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from loyalty.backtest.told import Grant, Told, categories

Key = tuple[str, ...]
SUMS = ("rules", "months", "categories")


@dataclass(slots=True)
class Sum:
    """How often something was granted, how much, and how much of it returns took back."""

    times: int = 0
    granted: int = 0
    taken: int = 0

    @property
    def net(self) -> int:
        return self.granted - self.taken


@dataclass(slots=True, kw_only=True)
class Tally:
    """Rules of all programs are counted, all else of `program` alone. From `since` on only.

    `rules` is by (program, rule, unit), `months` and `categories` are by (unit, month or category;
    the first level of its path, "" where a line has none), `members` is what each was granted less
    what was taken back, by unit.
    """

    program: str
    zone: ZoneInfo
    since: datetime
    rules: dict[Key, Sum] = field(default_factory=dict)
    labels: dict[Key, str] = field(default_factory=dict)
    months: dict[Key, Sum] = field(default_factory=dict)
    categories: dict[Key, Sum] = field(default_factory=dict)
    members: dict[str, dict[UUID, int]] = field(default_factory=dict)

    def add(self, come: Iterable[Told]) -> None:
        for one in come:
            if one.at >= self.since:
                self._add(one)

    def _add(self, told: Told) -> None:
        month = told.at.astimezone(self.zone).isoformat()[:7]
        of = {line: (path or "").partition("/")[0] for line, path in categories(told.fact).items()}
        for grant in told.grants:
            rule = self._rule(grant)
            rule.times += grant["granted"] > 0
            rule.granted += grant["granted"]
            if grant["program"] == self.program and grant["granted"]:
                self._grant(grant, month, of)
                self._member(grant["unit"], told.member_id, grant["granted"])
        for grant, line, amount in told.taken:
            self._rule(grant).taken += amount
            if grant["program"] == self.program:
                unit = grant["unit"]
                _sum(self.months, (unit, month)).taken += amount
                _sum(self.categories, (unit, of.get(line, ""))).taken += amount
                self._member(unit, told.member_id, -amount)

    def _rule(self, grant: Grant) -> Sum:
        key = (grant["program"], grant["rule"], grant["unit"])
        if (found := self.rules.get(key)) is None:
            found = self.rules[key] = Sum()
            self.labels[key] = grant["label"]
        return found

    def _grant(self, grant: Grant, month: str, of: Mapping[str, str]) -> None:
        unit = grant["unit"]
        by_month = _sum(self.months, (unit, month))
        by_month.times += grant["granted"] > 0  # what a return settles may be less than nothing
        by_month.granted += grant["granted"]
        shared: dict[str, int] = {}
        for line, share in grant["lines"].items():
            category = of.get(line, "")
            shared[category] = shared.get(category, 0) + share
        for category, share in shared.items():
            by_category = _sum(self.categories, (unit, category))
            by_category.times += share > 0
            by_category.granted += share

    def _member(self, unit: str, member_id: UUID | None, amount: int) -> None:
        if member_id is not None:
            of_unit = self.members.setdefault(unit, {})
            of_unit[member_id] = of_unit.get(member_id, 0) + amount

    # --- from one process to another ----------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            **{name: _plain(getattr(self, name)) for name in SUMS},
            "labels": [[list(key), label] for key, label in self.labels.items()],
            "members": {
                unit: {str(ident): net for ident, net in of_unit.items()}
                for unit, of_unit in self.members.items()
            },
        }

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take in what the tally of another process dumped."""
        for name in SUMS:
            setattr(self, name, {tuple(key): Sum(*sums) for key, *sums in plain[name]})
        self.labels = {tuple(key): label for key, label in plain["labels"]}
        self.members = {
            unit: {UUID(ident): net for ident, net in of_unit.items()}
            for unit, of_unit in plain["members"].items()
        }


def _sum(sums: dict[Key, Sum], key: Key) -> Sum:
    if (found := sums.get(key)) is None:
        found = sums[key] = Sum()
    return found


def _plain(sums: Mapping[Key, Sum]) -> list[list[Any]]:
    return [[list(key), one.times, one.granted, one.taken] for key, one in sums.items()]
