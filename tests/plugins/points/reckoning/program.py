"""A second implementation of points programs, for nothing but to be compared with the first.

It keeps no counters and no sums: what a rule gives, what a cap has left and what comes back is
reckoned anew from all that happened, in exact fractions, by the texts of the config.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

from tests.plugins.points.reckoning.arithmetic import rounded, shared
from tests.plugins.points.reckoning.periods import in_one_period
from tests.plugins.points.reckoning.rules import by_line, curve, of_groups, summed
from tests.plugins.points.reckoning.settled import Settled, caps_over, is_base
from tests.plugins.points.reckoning.sold import ONE, Gift, Rule, Sold

Parts = dict[str, int]


class Reckoning:
    """A program in its versions, and all that Ada bought."""

    def __init__(self, config: Rule, zone: ZoneInfo, places: dict[str, int]) -> None:
        self.versions = [(datetime(2000, 1, 1, tzinfo=zone), config)]
        self.zone, self.places = zone, places
        self.numbers = {id(config): 1}
        self.filled = 1  # the version that filled the program's caps
        self.sold: list[Sold] = []
        self.settled: list[Settled] = []

    def publishes(self, config: Rule, at: datetime, begins: datetime | None = None) -> None:
        """A version in force from then on; one that has the program's caps anew counts by its own
        rules what lies before, too."""
        known = [self._at(at), *(one for after, one in self.versions if after > at)]
        self.numbers[id(config)] = len(self.versions) + 1
        if config.get("caps") and not any(one.get("caps") for one in known):
            self.filled = self.numbers[id(config)]
        self.versions.append((begins or at, config))
        self.versions.sort(key=lambda one: (one[0], self.numbers[id(one[1])]))

    def balance(self, unit: str) -> int:
        gifts = [gift.left for sold in self.sold for gift in sold.gifts if gift.unit == unit]
        return sum(gifts) + sum(one.amount for one in self.settled if one.unit == unit)

    # --- what is bought ---------------------------------------------------------------------

    def buys(self, sold: Sold) -> dict[str, int]:
        """What each rule gives, by its id and unit."""
        config = self._at(sold.at)
        for base in (True, False):
            rules = [rule for rule in config["rules"] if is_base(rule) is base]
            for rule, parts in of_groups(config, rules, lambda one: self._judged(one, sold)):
                sold.gifts += self._gifts(config, rule, parts or {})
        self._cut(config, sold)
        self.sold.append(sold)
        return {f"{one.rule['id']}@{one.unit}": one.granted for one in sold.gifts if one.granted}

    def _at(self, at: datetime) -> Rule:
        return [config for begins, config in self.versions if begins <= at][-1]

    def _unit(self, rule: Rule) -> str:
        return str(rule.get("unit", "points"))

    def _gifts(self, config: Rule, rule: Rule, parts: Parts) -> Iterator[Gift]:
        unit = self._unit(rule)
        under = caps_over(rule)
        for given in (unit, *(also["unit"] for also in rule.get("also", ()))) if parts else ():
            more = self.places[given] - self.places[unit]
            shares = list(parts.values())
            if more >= 0:
                shares = [part * 10**more for part in shares]
            else:
                shares = shared(sum(shares) // 10**-more, shares)
            total, by = sum(shares), dict(zip(parts, shares, strict=True))
            yield Gift(rule, given, total, total, by, is_base(rule), under)

    def _judged(self, rule: Rule, sold: Sold) -> Parts | None:
        """By line what a rule wants to give; None: nothing."""
        if not self._is_in_effect(rule, sold) or sold.is_below(rule):
            return None
        if "bonus" not in rule and not (sold.counts(rule) and sold.paid(rule)):
            return None
        for limit in rule.get("limits", ()):
            if self._times(rule, limit, sold.at) >= limit["times"]:
                return None
        places = self.places[self._unit(rule)]
        if "bonus" in rule:
            lines, parts = self._multiplied(rule, sold)
        elif "over" in rule:
            sold.counted.add(rule["id"])
            found, weights, more = summed(rule, sold)
            before = self._sum(rule, sold.at, sold.currency)
            less, all_of_it = (curve(rule, n, places) for n in (before, before + more))
            lines, parts = [one.id for one in found], shared(max(all_of_it - less, 0), weights)
        else:
            lines, parts = [one.id for one, _ in sold.counts(rule)], by_line(rule, sold, places)
        parts = self._bounded(rule, parts, places)
        return dict(zip(lines, parts, strict=True)) if any(parts) else None

    def _is_in_effect(self, rule: Rule, sold: Sold) -> bool:
        rated = ["USD"] if "percent" in rule else rule.get("per", [sold.currency])
        if "bonus" not in rule and sold.currency not in rated:
            return False
        days = rule.get("effective", {})
        first, last = days.get("starts", "2000-01-01"), days.get("ends", "2999-12-31")
        today = sold.at.astimezone(self.zone).date()
        return date.fromisoformat(first) <= today <= date.fromisoformat(last)

    def _multiplied(self, rule: Rule, sold: Sold) -> tuple[list[str], list[int]]:
        bonus, mine = rule["bonus"], [line.id for line, _ in sold.counts(rule)]
        base: Parts = {}
        for gift in sold.gifts:
            if gift.unit != self._unit(rule) or not (gift.is_base or bonus["of"] == "granted"):
                continue
            for line, part in gift.shares.items():
                if part and line in mine:
                    base[line] = base.get(line, 0) + part
        more, values = (Fraction(bonus["factor"]) - 1) * sold.paid(rule), list(base.values())
        how = rule.get("rounding", "floor")
        if rule.get("rounded") == "line":
            return list(base), [rounded(part * more, how) for part in values]
        return list(base), shared(rounded(sum(values) * more, how), values)

    def _bounded(self, rule: Rule, parts: list[int], places: int) -> list[int]:
        wanted = bound = sum(parts)
        if "at_least" in rule and wanted:
            bound = max(bound, floor(Fraction(rule["at_least"]) * 10**places))
        if "at_most" in rule:
            bound = min(bound, floor(Fraction(rule["at_most"]) * 10**places))
        return parts if bound == wanted else shared(bound, parts)

    # --- what it looks at --------------------------------------------------------------------

    def _within(self, period: Rule, at: datetime) -> Iterator[Sold]:
        return (one for one in self.sold if in_one_period(period, at, one.at, self.zone))

    def _times(self, rule: Rule, limit: Rule, at: datetime) -> int:
        return sum(
            any(gift.rule["id"] == rule["id"] and gift.left > 0 for gift in one.gifts)
            for one in self._within(limit, at)
        )

    def _sum(self, rule: Rule, at: datetime, currency: str) -> Fraction:
        """What is left of a period, in steps."""
        other = rule.get("count", "amount") == "amount"
        return sum(
            (
                self._adds(rule, one)
                for one in self._within(rule["over"], at)
                if not (other and one.currency != currency)
            ),
            Fraction(0),
        )

    def _adds(self, rule: Rule, one: Sold) -> Fraction:
        """What is left of a purchase, in steps, where its rule counted it."""
        if rule["id"] not in one.counted or one.is_gone or one.is_over(rule):
            return Fraction(0)
        rest = one.left
        if rule.get("minimum_lost") == "recompute" and rest.is_below(rule):
            return Fraction(0)
        return summed(rule, rest)[2]

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

    def _cut(self, config: Rule, sold: Sold) -> None:
        for target, unit, cap in self._caps(config):
            given = sum(
                gift.left
                for one in self._within(cap, sold.at)
                for gift in one.gifts
                if gift.unit == unit and self._counts(target, gift.under, one.at)
            )
            given += sum(
                one.amount
                for one in self.settled
                if one.unit == unit
                and self._counts(target, one.under, one.at)
                and in_one_period(cap, sold.at, one.at, self.zone)
            )
            room = max(0, floor(Fraction(cap["points"]) * 10 ** self.places[unit]) - given)
            for gift in sold.gifts:
                if gift.unit == unit and target in gift.under:
                    gift.granted = min(gift.granted, room)
                    room -= gift.granted
        for gift in sold.gifts:
            if gift.granted < gift.wanted:
                parts = shared(gift.granted, list(gift.shares.values()))
                gift.shares = dict(zip(gift.shares, parts, strict=True))

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

    # --- what comes back ---------------------------------------------------------------------

    def brings_back(self, sold: Sold, parts: dict[str, Fraction]) -> None:
        """So much more of some lines."""
        for line, part in parts.items():
            sold.back[line] = sold.back.get(line, Fraction(0)) + part
        for gift in sold.gifts:
            lost = sold.lost(gift.rule)
            for line, share in gift.shares.items():
                part = ONE if lost else sold.back.get(line, Fraction(0))
                gift.taken[line] = rounded(share * part, "half_up")
        for rule in self._at(sold.at)["rules"]:
            if rule["id"] in sold.counted and any(
                self._is_uncut(config, rule["id"]) for config in self._around(rule, sold.at)
            ):
                self._settle(rule, sold)

    def corrects(self, sold: Sold, told: Sold) -> dict[str, int]:
        """It was never bought as it was told first."""
        rest = {line.id: ONE - sold.back.get(line.id, Fraction(0)) for line in sold.lines}
        self.brings_back(sold, rest)
        self.sold.remove(sold)
        return self.buys(replace(told, at=sold.at))

    def _around(self, rule: Rule, at: datetime) -> Iterator[Rule]:
        """The versions that are in force at some time of a period."""
        inside = [in_one_period(rule["over"], at, begins, self.zone) for begins, _ in self.versions]
        for number, (begins, config) in enumerate(self.versions):
            after = number + 1
            is_last = after == len(self.versions)
            if inside[number] or (
                begins < at and (is_last or inside[after] or self.versions[after][0] > at)
            ):
                yield config

    def _is_uncut(self, config: Rule, name: str) -> bool:
        rule = next(one for one in config["rules"] if one["id"] == name)
        bounded = {"at_least", "at_most", "caps"} & rule.keys() or config.get("caps")
        if bounded or rule["over"]["period"] == "rolling":
            return False
        groups = [one for one in config.get("groups", ()) if one["id"] == rule.get("group")]
        return not any(one.get("caps") or one.get("grants") != "all" for one in groups)

    def _settle(self, rule: Rule, sold: Sold) -> None:
        """The period has what is left of it earns, in each unit: each purchase as its version has
        it, in the order in which they were told. What caps may cut keeps what it was given."""
        unit, at = self._unit(rule), sold.at
        currency = sold.currency if rule.get("count", "amount") == "amount" else None
        period = [one for one in self._within(rule["over"], at) if currency in (None, one.currency)]
        for given in (unit, *(also["unit"] for also in rule.get("also", ()))):
            more = self.places[given] - self.places[unit]
            if more < 0:
                continue
            due, total, has = 0, Fraction(0), 0
            for one in period:
                gifts = [gift for gift in one.gifts if gift.unit == given]
                left = sum(gift.left for gift in gifts if gift.rule["id"] == rule["id"])
                after = total + self._adds(rule, one)
                earned = curve(rule, after, self.places[unit]) - curve(
                    rule, total, self.places[unit]
                )
                is_uncut = self._is_uncut(self._at(one.at), rule["id"])
                due += max(earned, 0) * 10**more if is_uncut else left
                total, has = after, has + left
            has += sum(
                one.amount
                for one in self.settled
                if one[:3] == (rule["id"], given, currency)
                and in_one_period(rule["over"], at, one.at, self.zone)
            )
            under = caps_over(rule)
            self.settled.append(Settled(rule["id"], given, currency, at, due - has, under))
