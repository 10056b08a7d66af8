"""Any program, any story: what the platform gives and takes is what a second implementation says.

Set LOYALTY_STORIES to tell more of them.
"""

import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

import pytest

from loyalty.facts import MemberRef, PurchaseRecorded
from loyalty.purchase import Tender, TenderKind
from loyalty.units import format_minor
from tests.plugins.points.reckoning.any_program import (
    a_basket,
    a_cap_that_goes_and_comes,
    a_group_that_is_joined,
    a_sum_under_shorter_caps,
    versions_of,
)
from tests.plugins.points.reckoning.program import Reckoning
from tests.plugins.points.reckoning.sold import ONE, Rule, Sold
from tests.plugins.points.till import ADA, Till

STORIES = int(os.environ.get("LOYALTY_STORIES", "150"))
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Tokyo")
reached: Counter[str] = Counter()


class Story:
    """Told to both, and compared after each step."""

    def __init__(
        self, seed: int, versions: Callable[[Random], list[Rule]], *, ahead: bool = False
    ) -> None:
        self.seed, self.dice = seed, Random(seed)
        self.configs, self.ahead = versions(self.dice), ahead
        zone = self.dice.choice(ZONES)
        self.places = {"points": self.dice.choice([0, 0, 2]), "miles": 2, "credits": 1}
        self.till = Till(self.configs[0], places=self.places, zone=zone)
        self.other = Reckoning(self.configs.pop(0), ZoneInfo(zone), self.places)
        self.orders: dict[str, Sold] = {}
        self.now = datetime(2026, 3, 1, 3, tzinfo=UTC) + timedelta(hours=self.dice.randint(0, 72))

    def step(self) -> None:
        dice = self.dice
        self.now += timedelta(hours=dice.choice([1, 3, 7, 20, 30, 100]))
        self.till.at = self.now.astimezone(self.till.zone)
        what = dice.random()
        if self.configs and what < 0.2:
            self.publishes(self.configs.pop(0))
        elif what < 0.6 or not self.orders:
            self.buys()
        elif what < 0.7 and not self.ahead:
            self.corrects()
        else:
            self.brings_back()
        self.compares()

    def publishes(self, config: Rule) -> None:
        hours = self.dice.choice([0, 0, 30, 60, 150]) if self.ahead else 0
        begins = self.till.at + timedelta(hours=hours)
        self.till.publishes(config, f"{begins:%Y-%m-%dT%H:%M}" if hours else None)
        self.other.publishes(config, self.till.at, begins)
        reached["published"] += 1
        reached["ahead"] += bool(hours)

    def buys(self) -> None:
        if not self.ahead and self.dice.random() < 0.15:
            self.till.at -= timedelta(hours=self.dice.choice([10, 50, 200]))  # heard of late
        sold = Sold(self.till.at, *a_basket(self.dice), self.dice.choice(["USD", "USD", "EUR"]))
        self.till.order = f"order-{len(self.orders)}"
        self.tells(sold, 1, self.other.buys(sold))

    def tells(self, sold: Sold, revision: int, wanted: dict[str, int]) -> None:
        """The same purchase, which is to give the same."""
        order = self.till.order
        tenders = tuple(Tender(kind=TenderKind(kind), amount=n) for kind, n in sold.tenders)
        fact = PurchaseRecorded(
            member=MemberRef(id=ADA), occurred_at=sold.at, source="till", external_id=order,
            revision=revision, currency=sold.currency, total=sold.total, lines=sold.lines,
            tax_included=sold.tax_included, tenders=tenders,
        )  # fmt: skip
        replaces = {"replaces": revision - 1} if revision > 1 else {}
        self.till.tells(fact, **replaces)
        rows = [row for row in self.till.body["grants"] if row["granted"]]
        granted = {f"{row['rule']}@{row['unit']}": row["granted"] for row in rows}
        assert granted == wanted, (self.seed, order)
        self.orders[order] = sold
        reached["granted"] += len(rows)
        reached["cut"] += any(gift.granted < gift.wanted for gift in sold.gifts)

    def corrects(self) -> None:
        """A purchase of which nothing came back was told wrong."""
        whole = [order for order, sold in self.orders.items() if not sold.back]
        if not whole:
            return
        self.till.order = self.dice.choice(whole)
        first = self.orders[self.till.order]
        told = Sold(first.at, *a_basket(self.dice), first.currency)
        wanted = self.other.corrects(first, told)
        revision = self.till._revision(self.till.order) + 1
        self.tells(self.other.sold[-1], revision, wanted)
        reached["corrected"] += 1

    def brings_back(self) -> None:
        order = self.dice.choice(list(self.orders))
        sold, parts = self.orders[order], dict[str, int]()
        for line in sold.lines:
            left = int(line.net * (1 - sold.back.get(line.id, Fraction(0))))
            if left and self.dice.random() < 0.6:
                parts[line.id] = self.dice.choice([left, self.dice.randint(1, left)])
        if not parts:
            return
        nets = {line.id: line.net for line in sold.lines}
        texts = {f"_{line}": format_minor(part, 2) for line, part in parts.items()}
        self.till.brings_back(order, **texts)
        self.other.brings_back(sold, {n: Fraction(part, nets[n]) for n, part in parts.items()})
        reached["returned"] += 1

    def ends(self) -> None:
        """All that is left comes back, in any order."""
        for order, sold in self.dice.sample(list(self.orders.items()), len(self.orders)):
            rest = {line.id: ONE - sold.back.get(line.id, Fraction(0)) for line in sold.lines}
            if any(rest.values()):
                self.till.brings_back(order)
                self.other.brings_back(sold, rest)
                self.compares()
        assert not any(self.other.balance(unit) for unit in self.places), self.seed
        if not self.ahead:  # or one version measured what another one does not
            self.has_counted_nothing()
        reached.update(self.other.reached)

    def has_counted_nothing(self) -> None:
        """In any bucket: neither points nor uses."""
        sums = Counter[tuple[str, datetime]]()
        for (name, _), rows in self.till.batch.counted.items():
            for bucket, delta in rows:
                sums[name, bucket] += delta
        assert not any(sums.values()), (self.seed, {key: one for key, one in sums.items() if one})

    def compares(self) -> None:
        for unit, places in self.places.items():
            wanted = self.other.balance(unit)
            shown = f"{'-' * (wanted < 0)}{format_minor(abs(wanted), places)}"
            assert self.till.balance(unit) == shown, (self.seed, unit)


@pytest.mark.parametrize(
    "versions",
    [
        partial(versions_of, sums=True, count=1), partial(versions_of, sums=False, count=3),
        partial(versions_of, sums=True, count=4), a_group_that_is_joined, a_sum_under_shorter_caps,
    ],
    ids=["one", "several", "several that add up", "a group that is joined", "shorter caps"],
)  # fmt: skip
def test_two_implementations_agree(versions: Callable[[Random], list[Rule]]) -> None:
    """What rules add up, and by which table, is the same in all versions: of others there is
    test_points_mixed_periods.py.

    Partial returns in any order, corrections, and purchases that are heard of late, also under a
    version that was followed by another one.
    """
    for seed in range(STORIES):
        story = Story(seed, versions)
        for _ in range(story.dice.randint(4, 14)):
            story.step()
        story.ends()


def test_two_implementations_agree_on_a_cap_that_goes_and_comes() -> None:
    """Versions are published ahead, with the cap and without. Nothing is heard of late: under a cap
    that went, a purchase asks what it held."""
    for seed in range(2 * STORIES):
        story = Story(seed, a_cap_that_goes_and_comes, ahead=True)
        for _ in range(story.dice.randint(8, 20)):
            story.step()
        story.ends()


@pytest.mark.parametrize(
    ("situation", "floor"),
    [("granted", 2000), ("cut", 400), ("returned", 500), ("corrected", 150), ("published", 100),
     ("ahead", 100), ("under none: settled", 100), ("under caps: settled", 25),
     ("cut: settled", 40), ("cut: kept back", 12), ("under caps: elsewhere", 15),
     ("bonus settled", 8)],
)  # fmt: skip
def test_the_interesting_situations_were_reached(situation: str, floor: int) -> None:
    assert reached[situation] >= floor, reached
