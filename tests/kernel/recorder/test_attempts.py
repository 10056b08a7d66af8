"""How often the recorder tries: once, where locks and memory know what to do."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from loyalty.commands import Redeem
from loyalty.recorder.recorder import Recorder
from loyalty.settlement.request import ClientKey, Request


class Counting(Recorder):
    """Counts what was written and what Postgres refused."""

    appended = 0
    lost = 0

    async def append(self, connection: Any, batch: Any) -> None:
        self.appended += bool(batch.book.rows.facts)
        await super().append(connection, batch)

    def forget(self, tenant_id: Any) -> None:
        self.lost += 1
        super().forget(tenant_id)


@pytest.fixture
async def counting(world: Any) -> Counting:
    """With every connection of the pool open, so that what comes at once meets at the lock."""
    all_there = asyncio.Barrier(10)

    async def open_one() -> None:
        async with world.database.tenant(uuid4()):  # one tenant may not have them all
            await all_there.wait()

    await asyncio.gather(*(open_one() for _ in range(10)))
    return Counting(world.database, world.plugins, world.recorder.setups, world.clock)


def redeem(world: Any, member: Any) -> Request:
    fact = Redeem(
        member=member, occurred_at=world.clock.now(), program="points", unit="points", amount=1,
        capture=True,
    )  # fmt: skip
    return Request(fact=fact, actor="test", client_key=ClientKey("till", "k-1"))


async def test_keys_repeated_in_a_batch_are_answered_from_memory(
    world: Any, counting: Counting
) -> None:
    member = await world.member()
    await world.give(member, 10)
    purchase = world.request(world.purchase(member, 100))
    parking = world.request(world.back(world.purchase(member, 100)))
    requests = [request for request in (redeem(world, member), purchase, parking) for _ in (0, 1)]

    outcomes = await counting.record_many(world.tenant_id, requests)

    assert [getattr(o, "replayed", None) for o in outcomes] == [False, True] * 3
    assert (counting.appended, counting.lost) == (1, 0)


@pytest.mark.parametrize("kind", ["purchase", "command"])
async def test_a_key_is_looked_up_under_the_lock(world: Any, counting: Counting, kind: str) -> None:
    member = await world.member()
    await world.give(member, 10)
    request = (
        redeem(world, member) if kind == "command" else world.request(world.purchase(member, 100))
    )

    await asyncio.gather(*(counting.record_many(world.tenant_id, [request]) for _ in range(40)))

    assert (counting.appended, counting.lost) == (1, 0)


async def test_a_key_of_two_members_is_tried_again(world: Any, counting: Counting) -> None:
    members = [await world.member() for _ in range(10)]
    purchases = [world.purchase(member, 100, external_id="o-1") for member in members]

    answers = await asyncio.gather(
        *(
            counting.record_many(world.tenant_id, [world.request(purchase)])
            for purchase in purchases
        )
    )

    codes = [str(getattr(answer[0], "code", None)) for answer in answers]
    assert sorted(codes) == ["None"] + ["PURCHASE_CHANGED"] * 9
