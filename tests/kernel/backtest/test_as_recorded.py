"""A back-test of what was published comes to what was recorded, to the point."""

import random
from dataclasses import replace
from typing import Any

import pytest

from loyalty.facts import ActivityRecorded, MemberClosed
from loyalty.ids import new_id
from loyalty.purchase import Line, ReturnedLine
from loyalty_points.plugin import plugin as points
from loyalty_stamps.plugin import plugin as stamps
from loyalty_tenants.units import create_unit
from tests.kernel.conftest import BOSS, POINTS_CONFIG
from tests.kernel.properties.gift_program import plugin as gifts

from .conftest import recorded

# A trait, luck, counters of a member and of the tenant, bonuses on other programs' grants, caps.
CARD = {
    "unit": "points", "category": "coffee", "needed": 3, "reward": 40, "first_card": 7,
    "thanks_days": 2, "cards_per_month": 4, "budget_per_month": 300, "extra_percent": 10,
    "lucky_one_in": 3, "visit_stamps": 1,
}  # fmt: skip


@pytest.fixture
async def world(make_world: Any) -> Any:
    made = await make_world(plugins=(points, stamps, gifts))
    yield made
    await made.audited()


def basket(world: Any, chance: random.Random, member: Any, **given: Any) -> Any:
    lines = [
        Line(id=f"l{n}", amount=chance.randint(0, 2_000), quantity=1000 * chance.randint(1, 3),
             category=chance.choice(["coffee/beans", "cake", None]))
        for n in range(chance.randint(1, 4))
    ]  # fmt: skip
    return world.purchase(member, sum(line.amount for line in lines), lines=lines, **given)


def activity(world: Any, member: Any, kind: str, **attributes: Any) -> ActivityRecorded:
    return ActivityRecorded(
        member=member, occurred_at=world.clock.now(), source="app", external_id=str(new_id()),
        type=kind, attributes=attributes,
    )  # fmt: skip


class Story:
    """Purchases, returns before and after their purchase, visits, redemptions, members who leave.

    With `friends` purchases bring gifts for others, and some are corrected.
    """

    def __init__(self, world: Any, bench: Any, seed: int, *, friends: bool) -> None:
        self.world, self.worker = world, bench.worker(world)
        self.chance, self.friends = random.Random(seed), friends
        self.members: list[Any] = []
        self.bought: list[Any] = []

    async def happens(self, count: int) -> None:
        self.members = [await self.world.member() for _ in range(4)]
        for number in range(count):
            await self.something(number)
            self.world.pass_time(hours=self.chance.randint(0, 20))
            # What falls due is settled before the next fact, as a walk takes it to be.
            await self.worker.run_due(self.world.tenant_id)
        self.world.pass_time(days=5)
        await self.worker.run_due(self.world.tenant_id)

    async def something(self, number: int) -> None:
        world, chance = self.world, self.chance
        member = chance.choice(self.members)
        match chance.randint(0, 9) if self.bought else 9:
            case 0:
                returned = chance.choice(self.bought)
                line = ReturnedLine(id=chance.choice(returned.lines).id, quantity=500)
                await world.records(world.back(returned, line))
            case 1:
                await world.records(world.back(chance.choice(self.bought)))
            case 2 if self.friends:
                old = chance.choice(self.bought)
                await world.records(
                    basket(world, chance, old.member, external_id=old.external_id, revision=2)
                )
            case 3:
                early = basket(world, chance, member)
                await world.record(world.back(early, ReturnedLine(id="l0", quantity=1000)))
                await world.record(early)
            case 4:
                await world.record(activity(world, member, "visit"))
            case 5 if not self.friends:
                if (await world.balance(member)).available:
                    await world.redeem(member, 1)
            case 6 if number == 40:
                gone = self.members.pop()
                await world.record(MemberClosed(member=gone, occurred_at=world.clock.now()))
            case _:
                await self.buys(member)

    async def buys(self, member: Any) -> None:
        fact = basket(self.world, self.chance, member)
        if self.friends:
            friend = self.chance.choice(self.members)
            fact = replace(fact, attributes={"friend": str(friend.id)})
        await self.world.record(fact)
        self.bought.append(fact)


async def as_recorded(world: Any, bench: Any) -> set[str]:
    """Compare a walk with the records; answers the rules that granted something."""
    before = await world.digest()
    side, heard = await bench.walk(world)

    granted, taken = await recorded(world)
    assert "\n".join(heard.comparison.differences) == ""
    assert +heard.granted == +granted
    assert +heard.taken == +taken
    assert sum(taken.values()) > 0
    assert (side.left_out, side.failures) == ({}, {})
    assert await world.digest() == before
    return {rule for _, _, rule, _ in +granted}


@pytest.mark.parametrize("seed", [1, 2])
async def test_traits_luck_counters_and_caps_come_out_as_recorded(
    world: Any, bench: Any, seed: int
) -> None:
    await world.run_program("card", CARD, kind="stamps")
    await Story(world, bench, seed, friends=False).happens(60)

    assert await as_recorded(world, bench) == {"base", "card", "first-card", "extra"}


@pytest.mark.parametrize("seed", [3, 4])
async def test_gifts_for_others_and_corrections_come_out_as_recorded(
    world: Any, bench: Any, seed: int
) -> None:
    async with world.database.tenant(world.tenant_id) as connection:
        now = world.clock.now()
        await create_unit(connection, BOSS, code="stars", name="Stars", now=now)
    await world.run_program("gifts", {}, kind="gifts")
    await Story(world, bench, seed, friends=True).happens(60)

    assert await as_recorded(world, bench) == {"base", "gift"}


async def test_the_published_config_as_a_draft_changes_nothing(world: Any, bench: Any) -> None:
    await world.run_program("card", CARD, kind="stamps")
    await Story(world, bench, 5, friends=False).happens(40)

    _, published = await bench.walk(world)
    _, draft = await bench.walk(world, draft=POINTS_CONFIG)
    _, card = await bench.walk(world, draft=CARD, slug="card", kind="stamps")

    assert published.granted.total() > 0
    assert draft.granted == published.granted == card.granted
    assert draft.taken == published.taken == card.taken
