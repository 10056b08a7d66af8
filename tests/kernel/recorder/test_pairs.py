"""Two sides at once: both or none, each side its own half."""

import asyncio
from typing import Any

import pytest

from loyalty.commands import AdjustBalance
from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef
from loyalty.recorder.pair import Leg, record_pair
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.setups import Setups
from loyalty.settlement.request import ClientKey, Committed, Request
from loyalty_tenants.setups import TenantSetups


class Partners:
    """Two tenants with a member each, and one process that serves both."""

    def __init__(self, here: Any, there: Any, members: tuple[MemberRef, MemberRef]) -> None:
        self.worlds = (here, there)
        self.members = members
        self.told: list[Committed] = []
        setups = Setups(here.database, TenantSetups(here.configs))
        self.recorder = Recorder(
            here.database, here.plugins, setups, here.clock, committed=self._tell
        )

    async def _tell(self, *committed: Committed) -> None:
        self.told += committed

    def leg(self, side: int, amount: int, key: str = "k-1") -> Leg:
        world, member = self.worlds[side], self.members[side]
        command = AdjustBalance(
            member=member, occurred_at=world.clock.now(), unit="points", amount=amount,
            reason_code="EXCHANGE",
        )  # fmt: skip
        client_key = ClientKey("exchange", key)
        return Leg(world.tenant_id, Request(fact=command, actor="x", client_key=client_key))

    async def exchange(self, gives: int, gets: int, key: str = "k-1") -> Any:
        return await record_pair(self.recorder, self.leg(0, -gives, key), self.leg(1, gets, key))

    async def balances(self) -> tuple[int, ...]:
        found = [
            await world.balance(member)
            for world, member in zip(self.worlds, self.members, strict=True)
        ]
        return tuple(balance.available for balance in found)

    async def digests(self) -> Any:
        return [await world.digest() for world in self.worlds]


@pytest.fixture
async def partners(make_world: Any) -> Any:
    here, there = await make_world(), await make_world()
    members = (await here.member(), await there.member())
    await here.give(members[0], 3_100)
    made = Partners(here, there, members)
    yield made
    await here.audited()
    await there.audited()
    assert here.database.idle == here.database.size


async def test_both_sides_happen_and_both_are_told(partners: Any) -> None:
    gave, got = await partners.exchange(3_099, 1_033)

    assert await partners.balances() == (1, 1_033)
    assert (gave.replayed, got.replayed) == (False, False)
    tenants = [committed.tenant_id for committed in partners.told]
    assert tenants == sorted(world.tenant_id for world in partners.worlds)
    assert [c.changes[0].version for c in partners.told if c.tenant_id == tenants[0]] != []


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("giver", [0, 1])  # of the two, one is settled before the other
async def test_a_refused_side_takes_the_other_back(
    partners: Any, swapped: bool, giver: int
) -> None:
    before = await partners.digests()
    legs = [partners.leg(giver, -3_101), partners.leg(1 - giver, 1_033)]

    with pytest.raises(Refused) as refused:
        await record_pair(partners.recorder, *(legs[::-1] if swapped else legs))

    assert refused.value.code is Code.INSUFFICIENT_BALANCE
    assert await partners.digests() == before
    assert not partners.told
    await partners.exchange(3_000, 1_000)  # the key is still free
    assert await partners.balances() == (100, 1_000)


async def test_the_same_exchange_twice_happens_once(partners: Any) -> None:
    first = await partners.exchange(3_000, 1_000)

    again = await partners.exchange(3_000, 1_000)

    assert [side.replayed for side in again] == [True, True]
    assert [side.answer for side in again] == [side.answer for side in first]
    assert await partners.balances() == (100, 1_000)


async def test_another_amount_under_the_key_is_refused(partners: Any) -> None:
    await partners.exchange(3_000, 1_000)

    with pytest.raises(Refused) as refused:
        await partners.exchange(3_000, 999)

    assert refused.value.code is Code.IDEMPOTENCY_MISMATCH
    assert await partners.balances() == (100, 1_000)


async def test_a_key_known_on_one_side_only_is_refused(partners: Any) -> None:
    await partners.recorder.record_many(
        partners.worlds[1].tenant_id, [partners.leg(1, 1_000).request]
    )

    with pytest.raises(Refused) as refused:
        await partners.exchange(3_000, 1_000)

    assert refused.value.code is Code.IDEMPOTENCY_MISMATCH
    assert await partners.balances() == (3_100, 1_000)


async def test_many_exchanges_both_ways_at_once(partners: Any) -> None:
    await partners.exchange(1_000, 1_000, "start")

    async def one(number: int) -> None:
        side = number % 2
        legs = [
            partners.leg(side, -10, f"k-{number}"), partners.leg(1 - side, 10, f"k-{number}"),
        ]  # fmt: skip
        await record_pair(partners.recorder, *legs)

    await asyncio.gather(*(one(number % 30) for number in range(60)))

    assert await partners.balances() == (2_100, 1_000)


async def test_a_member_of_one_side_is_nobody_on_the_other(partners: Any) -> None:
    stranger = partners.leg(0, 5).request
    leg = Leg(partners.worlds[1].tenant_id, stranger)

    with pytest.raises(Refused) as refused:
        await record_pair(partners.recorder, partners.leg(0, -5), leg)

    assert refused.value.code is Code.MEMBER_NOT_FOUND
