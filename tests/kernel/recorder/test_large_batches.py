"""A batch of several parts: written while it is decided, and still one transaction."""

from dataclasses import replace
from typing import Any

import pytest

from loyalty.commands import Redeem
from loyalty.errors import Code, Refused
from loyalty.facts import Fact, MemberRef
from loyalty.recorder.parts import LAST, PART, starts_of
from loyalty.settlement.request import Recorded

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


def test_parts_shrink_towards_the_end() -> None:
    assert starts_of(2 * LAST) == []
    assert starts_of(500) == [PART, 2 * PART, 3 * PART, 437, 468]
