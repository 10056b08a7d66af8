"""A batch of several parts: written while it is decided, and still one transaction."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from loyalty.commands import Redeem
from loyalty.errors import Code, Refused
from loyalty.facts import Fact, MemberRef
from loyalty.recorder.parts import LEAST
from loyalty.recorder.recorder import Recorder
from loyalty.settlement.request import Recorded

PART = 3 * LEAST
SEVERAL = 3 * PART + 7


def redeem(world: Any, member: MemberRef, amount: int) -> Redeem:
    return Redeem(
        member=member, occurred_at=world.clock.now(), program="points", unit="points",
        amount=amount, capture=True,
    )  # fmt: skip


async def transactions(world: Any) -> int:
    """How many transactions wrote the purchases that are there."""
    counted = await world.rows(
        "select count(distinct xmin::text) from loyalty.fact where kind = 'PurchaseRecorded'"
    )
    return int(counted[0][0])


async def test_each_part_sees_what_the_parts_before_it_did(world: Any) -> None:
    member = await world.member()
    facts: list[Fact] = [world.purchase(member, 200) for _ in range(SEVERAL)]
    facts.insert(PART + 3, redeem(world, member, 2 * (PART + 3)))  # all that is there by then
    facts.insert(2 * PART + 1, redeem(world, member, 2 * PART))  # more than came since
    facts.append(redeem(world, member, 1))

    outcomes = await world.records(*facts)

    refused = [(i, o.code) for i, o in enumerate(outcomes) if isinstance(o, Refused)]
    assert refused == [(2 * PART + 1, Code.INSUFFICIENT_BALANCE)]
    assert (await world.balance(member)).available == 2 * SEVERAL - 2 * (PART + 3) - 1
    assert await transactions(world) == 1


@pytest.mark.parametrize("at", [3, PART + 3, 2 * PART + 3, SEVERAL - 1])
async def test_in_whichever_part_it_is_what_postgres_refuses_fails_alone(
    world: Any, at: int
) -> None:
    member = await world.member()
    purchases = [world.purchase(member, 100) for _ in range(SEVERAL)]
    purchases[at] = replace(purchases[at], attributes={"note": "a\x00b"})

    outcomes = await world.records(*purchases)

    assert [i for i, outcome in enumerate(outcomes) if isinstance(outcome, Refused)] == [at]
    assert (await world.balance(member)).available == SEVERAL - 1


async def test_a_key_of_the_first_part_is_replayed_in_the_last(world: Any) -> None:
    member = await world.member()
    purchases = [world.purchase(member, 100) for _ in range(SEVERAL)]

    outcomes = await world.records(*purchases, purchases[0])

    assert all(isinstance(outcome, Recorded) for outcome in outcomes)
    assert (outcomes[-1].replayed, outcomes[-1].fact_id) == (True, outcomes[0].fact_id)
    assert (await world.balance(member)).available == SEVERAL


async def test_lots_that_are_missing_in_a_later_part_are_loaded_and_nothing_is_written_twice(
    world: Any,
) -> None:
    rich = await world.member()
    for _ in range(5):
        await world.give(rich, 10)
    facts: list[Fact] = [world.purchase(await world.member(), 100) for _ in range(2 * PART)]
    facts.append(redeem(world, rich, 10))  # for this one lot is loaded,
    facts.append(redeem(world, rich, 40))  # and then the others decide

    outcomes = await world.records(*facts)

    assert not any(isinstance(outcome, Refused) for outcome in outcomes)
    assert (await world.balance(rich)).available == 0
    assert await transactions(world) == 1
    assert (await world.rows("select count(*) from loyalty.redemption"))[0][0] == 2


async def test_what_cannot_be_written_out_fails_alone_and_halves_nothing(world: Any) -> None:
    member = await world.member()
    purchases = [world.purchase(member, 100) for _ in range(SEVERAL)]
    purchases[PART] = replace(purchases[PART], attributes={"note": object()})

    outcomes = await world.records(*purchases)

    refused = [(i, o.code) for i, o in enumerate(outcomes) if isinstance(o, Refused)]
    assert refused == [(PART, Code.INTERNAL)]
    assert await transactions(world) == 1


class Parted(Recorder):
    """Notes how many facts it is given to write, and takes its time to write them."""

    turns = 0

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.parts: list[int] = []

    async def _write(self, connection: Any, batch: Any) -> None:
        self.parts.append(len(batch.book.rows.facts))
        await super()._write(connection, batch)
        for _ in range(self.turns):
            await asyncio.sleep(0)


@pytest.mark.parametrize("turns", [0, 20, 10_000])
async def test_a_part_is_what_was_decided_while_the_one_before_was_written(
    world: Any, turns: int
) -> None:
    recorder = Parted(world.database, world.plugins, world.recorder.setups, world.clock)
    recorder.turns = turns
    member = await world.member()
    requests = [world.request(world.purchase(member, 100)) for _ in range(SEVERAL)]

    await recorder.record_many(world.tenant_id, requests)

    assert (recorder.parts[0], sum(recorder.parts)) == (LEAST, SEVERAL)
    assert all(part % LEAST == 0 for part in recorder.parts[:-1])
    if turns == 10_000:
        assert recorder.parts == [LEAST, SEVERAL - LEAST]
    assert (await world.balance(member)).available == SEVERAL


async def test_a_small_batch_is_written_at_once(world: Any) -> None:
    recorder = Parted(world.database, world.plugins, world.recorder.setups, world.clock)
    member = await world.member()
    requests = [world.request(world.purchase(member, 100)) for _ in range(2 * LEAST)]

    await recorder.record_many(world.tenant_id, requests)

    assert recorder.parts == [2 * LEAST]
