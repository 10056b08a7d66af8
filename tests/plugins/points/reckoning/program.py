"""A second implementation of points programs, for nothing but to be compared with the first.

It keeps no counters and no sums: what a rule gives, what a cap has left and what comes back is
reckoned anew from all that happened, in exact fractions, by the texts of the config.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from functools import partial
from math import floor
from zoneinfo import ZoneInfo

from tests.plugins.points.reckoning.arithmetic import rounded, shared
from tests.plugins.points.reckoning.multiplied import bonuses
from tests.plugins.points.reckoning.periods import in_one_period
from tests.plugins.points.reckoning.rules import (
    bound,
    bounded,
    by_line,
    curve,
    of_groups,
    outdone,
    summed,
)
from tests.plugins.points.reckoning.settled import Room, Settled, caps_over, evened, is_base, where
from tests.plugins.points.reckoning.sold import ONE, Gift, Rule, Sold
from tests.plugins.points.reckoning.versions import Versions

Parts = dict[str, int]


class Reckoning(Versions):
    """A program in its versions, and all that Ada bought."""

    def __init__(self, config: Rule, zone: ZoneInfo, places: dict[str, int]) -> None:
        super().__init__(config, zone)
        self.places = places
        self.sold: list[Sold] = []
        self.settled: list[Settled] = []
        self.reached = Counter[str]()

    def balance(self, unit: str) -> int:
        gifts = [gift.left for sold in self.sold for gift in sold.gifts if gift.unit == unit]
        return sum(gifts) + sum(one.amount for one in self.settled if one.unit == unit)

    # --- what is bought ---------------------------------------------------------------------

    def buys(self, sold: Sold) -> dict[str, int]:
        """What each rule gives, by its id and unit."""
        config = self._at(sold.at)
        for base in (True, False):
            rules = [rule for rule in config["rules"] if is_base(rule) is base]
            would = dict[str, Parts | None]()

            def judged(rule: Rule, would: dict[str, Parts | None] = would) -> Parts | None:
                would[rule["id"]] = self._judged(rule, sold)
                return would[rule["id"]]

            for rule, parts in of_groups(config, rules, judged, partial(self._got, sold.at)):
                sold.gifts += self._gifts(config, rule, parts or {})
                if would[rule["id"]] and not parts:
                    sold.bent.add(rule["id"])
            sold.bent |= outdone(config, [gift.rule for gift in sold.gifts])
        self._cut(config, sold)
        self.sold.append(sold)
        return {f"{one.rule['id']}@{one.unit}": one.granted for one in sold.gifts if one.granted}

    def _gifts(self, config: Rule, rule: Rule, parts: Parts) -> Iterator[Gift]:
        unit, under = self._unit(rule), caps_over(rule)
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
        if not sold.is_in_effect(rule, self.zone) or sold.is_below(rule):
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
            sold.counted.append(rule["id"])
            found, weights, more = summed(rule, sold)
            before = self._sum(rule, sold.at, sold.currency)
            less, all_of_it = (curve(rule, n, places) for n in (before, before + more))
            lines, parts = [one.id for one in found], shared(max(all_of_it - less, 0), weights)
        else:
            lines, parts = [one.id for one, _ in sold.counts(rule)], by_line(rule, sold, places)
        free, parts = parts, bounded(rule, parts, places)
        if sum(parts) != sum(free):
            sold.bent.add(rule["id"])
        return dict(zip(lines, parts, strict=True)) if any(parts) else None

    def _got(self, at: datetime, rule: Rule, wanted: int) -> int:
        """What its own caps leave of what a rule wants."""
        name, unit, caps = rule["id"], self._unit(rule), rule.get("caps", ())
        return min([wanted, *(self._room(name, unit, cap, at) for cap in caps)])

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

    # --- what it looks at --------------------------------------------------------------------

    def _within(self, period: Rule, at: datetime) -> Iterator[Sold]:
        return (one for one in self.sold if in_one_period(period, at, one.at, self.zone))

    def _times(self, rule: Rule, limit: Rule, at: datetime) -> int:
        shares, net = Counter[datetime](), Counter[datetime]()
        for one in self._within(limit, at):
            left = sum(gift.left for gift in one.gifts if gift.rule["id"] == rule["id"])
            shares[one.at] += left > 0
            net[one.at] += left
        for was in self.settled:
            if was.rule == rule["id"] and in_one_period(limit, at, was.at, self.zone):
                net[was.at] += was.amount
        return sum(max(shares[then], 1) for then in net if net[then] > 0)

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

    def _cut(self, config: Rule, sold: Sold) -> None:
        for target, unit, cap in self._caps(config):
            room = self._room(target, unit, cap, sold.at)
            for gift in sold.gifts:
                if gift.unit == unit and target in gift.under:
                    gift.granted = min(gift.granted, room)
                    room -= gift.granted
        for gift in sold.gifts:
            if gift.granted < gift.wanted:
                parts = shared(gift.granted, list(gift.shares.values()))
                gift.shares = dict(zip(gift.shares, parts, strict=True))

    def _given(self, target: str, unit: str, cap: Rule, at: datetime) -> int:
        given = sum(
            gift.left
            for one in self._within(cap, at)
            for gift in one.gifts
            if gift.unit == unit and self._counts(target, gift.under, one.at)
        )
        return given + sum(
            one.amount
            for one in self.settled
            if one.unit == unit
            and self._counts(target, one.under, one.at)
            and in_one_period(cap, at, one.at, self.zone)
        )

    def _room(self, target: str, unit: str, cap: Rule, at: datetime) -> int:
        most = floor(Fraction(cap["points"]) * 10 ** self.places[unit])
        return int(max(0, most - self._given(target, unit, cap, at)))

    # --- what comes back ---------------------------------------------------------------------

    def brings_back(self, sold: Sold, parts: dict[str, Fraction]) -> None:
        """So much more of some lines."""
        room = Room(
            (target, unit, self._room(target, unit, cap, sold.at) * (cap["period"] != "rolling"))
            for target, unit, cap in self._caps(self._at(sold.at))
        )
        before = [gift.left for gift in sold.gifts]
        for line, part in parts.items():
            sold.back[line] = sold.back.get(line, Fraction(0)) + part
        for gift in sold.gifts:
            lost = sold.lost(gift.rule)
            for line, share in gift.shares.items():
                part = ONE if lost else sold.back.get(line, Fraction(0))
                gift.taken[line] = rounded(share * part, "half_up")
        taken = Counter[tuple[str, str]]()
        for gift, had in zip(sold.gifts, before, strict=True):
            taken[gift.rule["id"], gift.unit] += had - gift.left
        rules = {rule["id"]: rule for rule in self._at(sold.at)["rules"]}
        for name in sold.counted:
            if rules[name]["over"]["period"] != "rolling":
                for one, was_cut, stands, beyond in self._settling(rules[name], sold):
                    fitted, how = room.fitted(one, was_cut, taken[name, one.unit])
                    self.reached[f"{how}: settled"] += fitted.amount != 0
                    self.reached[f"{how}: kept back"] += fitted.amount < one.amount
                    fresh = list(where(fitted, beyond, self._at))
                    elsewhere = fitted.amount < 0 and fresh[-1].at != sold.at
                    for was in fresh:
                        stands[was.at] += was.amount
                        beyond[was.at] += was.amount
                    fresh += evened(name, one.unit, stands, beyond, self._at)
                    self.settled += fresh
                    self.reached[f"{how}: elsewhere"] += elsewhere
        if any(rules[name]["over"]["period"] != "rolling" for name in sold.counted):
            fresh = list(bonuses(self.sold, self.settled, sold, self._at))
            self.reached["bonus settled"] += bool(fresh)
            self.settled += fresh

    def corrects(self, sold: Sold, told: Sold) -> dict[str, int]:
        """It was never bought as it was told first."""
        rest = {line.id: ONE - sold.back.get(line.id, Fraction(0)) for line in sold.lines}
        self.brings_back(sold, rest)
        return self.buys(replace(told, at=sold.at))

    def _settling(
        self, rule: Rule, sold: Sold
    ) -> Iterator[tuple[Settled, bool, Counter[datetime], Counter[datetime]]]:
        """The period has what is left of it earns, in each unit: each purchase as its version has
        it, in the order in which they were told. Where it was cut it keeps what it was given, and
        no more than it would earn now; whether anything was, and by instant what is there, and how
        much beyond what is due."""
        unit, at = self._unit(rule), sold.at
        period = [one for one in self._within(rule["over"], at) if rule["id"] in one.counted]
        in_money = rule.get("count", "amount") == "amount"
        for given in (unit, *(also["unit"] for also in rule.get("also", ()))):
            more = self.places[given] - self.places[unit]
            if more < 0:
                continue
            sums, was_cut = dict[str, Fraction](), False
            stands, beyond = Counter[datetime](), Counter[datetime]()
            for one in period:
                gifts = [g for g in one.gifts if (g.unit, g.rule["id"]) == (given, rule["id"])]
                then = next(r for r in self._at(one.at)["rules"] if r["id"] == rule["id"])
                left = sum(gift.left for gift in gifts)
                currency = one.currency if in_money else ""
                before = sums.get(currency, Fraction(0))
                sums[currency] = before + self._adds(rule, one)
                less, earned = (curve(then, n, self.places[unit]) for n in (before, sums[currency]))
                lift = max(earned - less, 0)
                most = bound(then, lift, self.places[unit])
                if rule["id"] in one.bent or any(gift.granted < gift.wanted for gift in gifts):
                    was_cut = True
                    due = min(left, most * 10**more)
                else:
                    due = most * 10**more
                stands[one.at] += left
                beyond[one.at] += left - due
            for was in self.settled:
                if (was.rule, was.unit) == (rule["id"], given) and in_one_period(
                    rule["over"], at, was.at, self.zone
                ):
                    stands[was.at] += was.amount
                    beyond[was.at] += was.amount
            settled = Settled(rule["id"], given, at, -beyond.total(), caps_over(rule))
            yield settled, was_cut, stands, beyond
