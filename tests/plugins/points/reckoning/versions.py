"""The versions of a program: which one is in force, and which caps count by whose rules."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.plugins.points.reckoning.sold import Rule


class Versions:
    """`filled` is the number of the version that filled the program's caps."""

    def __init__(self, config: Rule, zone: ZoneInfo) -> None:
        self.versions = [(datetime(2000, 1, 1, tzinfo=zone), config)]
        self.zone = zone
        self.numbers = {id(config): 1}
        self.filled = 1

    def publishes(self, config: Rule, at: datetime, begins: datetime | None = None) -> None:
        """A version in force from then on; one that has the program's caps anew counts by its own
        rules what lies before, too."""
        known = [self._at(at), *(one for after, one in self.versions if after > at)]
        self.numbers[id(config)] = len(self.versions) + 1
        if config.get("caps") and not any(one.get("caps") for one in known):
            self.filled = self.numbers[id(config)]
        self.versions.append((begins or at, config))
        self.versions.sort(key=lambda one: (one[0], self.numbers[id(one[1])]))

    def _at(self, at: datetime) -> Rule:
        return [config for begins, config in self.versions if begins <= at][-1]

    def _unit(self, rule: Rule) -> str:
        return str(rule.get("unit", "points"))

    def _caps(self, config: Rule) -> Iterator[tuple[str, str, Rule]]:
        """What each cap is on, the unit that it counts, and itself."""
        for rule in config["rules"]:
            for cap in rule.get("caps", ()):
                yield rule["id"], self._unit(rule), cap
        for group in config.get("groups", ()):
            units = [self._unit(r) for r in config["rules"] if r.get("group") == group["id"]]
            for cap in group.get("caps", ()):
                yield f"group {group['id']}", (units or ["points"])[0], cap
        for cap in config.get("caps", ()):
            yield "program", "points", cap

    def _counts(self, target: str, under: frozenset[str], at: datetime) -> bool:
        """Whether a cap counts what was given then, or settled of it."""
        if target != "program":
            return target in under
        now = self._at(at)
        keep = [now, *(one for begins, one in self.versions if begins > at)]
        keep = [one for one in keep if one.get("caps") and self.numbers[id(one)] >= self.filled]
        if not keep:
            return False
        first = min(keep, key=lambda one: (one is not now, self.numbers[id(one)]))
        return any(rule["id"] in under for rule in first["rules"])
