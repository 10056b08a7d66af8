"""Pairs that wait for the same two tenants share a transaction; each is whole by itself."""

import asyncio
from typing import Any

import pytest

from loyalty.errors import Code, Refused
from loyalty.recorder.pair import LegRefused, record_pairs
from loyalty.recorder.pair_lane import PairLanes
from tests.kernel.recorder.test_pairs import Partners


@pytest.fixture
async def partners(make_world: Any) -> Any:
    here, there = await make_world(), await make_world()
    members = (await here.member(), await there.member())
    await here.give(members[0], 1_000)
    await there.give(members[1], 1_000)
    made = Partners(here, there, members)
    yield made
    await here.audited()
    await there.audited()


def pair(partners: Any, number: int, amount: int, giver: int = 0) -> Any:
    key = f"k-{number}"
    return partners.leg(giver, -amount, key), partners.leg(1 - giver, amount, key)


async def test_those_that_wait_go_together_both_ways(partners: Any) -> None:
    lanes, database = PairLanes(partners.recorder), partners.recorder.database
    await lanes.record(*pair(partners, 0, 1))  # what each tenant is, is known by now
    before = database.transactions

    done = await asyncio.gather(
        *(lanes.record(*pair(partners, n, 10, giver=n % 2)) for n in range(1, 13))
    )

    assert database.transactions - before == 1
    assert [[leg.replayed for leg in legs] for legs in done] == [[False, False]] * 12
    assert await partners.balances() == (999, 1_001)


@pytest.mark.parametrize("giver", [0, 1])  # which of the two sides is settled first
async def test_one_that_is_refused_leaves_nothing_and_the_others_stand(
    partners: Any, giver: int
) -> None:
    pairs = [pair(partners, n, amount, giver) for n, amount in enumerate((400, 700, 500, 200))]

    outcomes = await record_pairs(partners.recorder, pairs)

    assert [isinstance(outcome, Refused) for outcome in outcomes] == [False, True, False, True]
    refused = outcomes[1]
    assert isinstance(refused, LegRefused)
    assert (refused.code, refused.tenant_id) == (
        Code.INSUFFICIENT_BALANCE, partners.worlds[giver].tenant_id,
    )  # fmt: skip
    balances = await partners.balances()
    assert (balances[giver], balances[1 - giver]) == (100, 1_900)
    stood = {leg.fact_id for legs in outcomes if not isinstance(legs, Refused) for leg in legs}
    told = [change.fact_id for committed in partners.told for change in committed.changes]
    assert len(told) == 2
    assert stood.issuperset(told)
    # its key is free
    again = await record_pairs(partners.recorder, [pair(partners, 1, 100, giver)])
    assert not isinstance(again[0], Refused)
    assert (await partners.balances())[giver] == 0


async def test_the_same_pair_twice_in_a_batch_happens_once(partners: Any) -> None:
    first, again = await record_pairs(
        partners.recorder, [pair(partners, 1, 300), pair(partners, 1, 300)]
    )
    assert not isinstance(first, Refused)
    assert not isinstance(again, Refused)
    assert [leg.replayed for leg in again] == [True, True]
    assert [leg.answer for leg in again] == [leg.answer for leg in first]
    assert await partners.balances() == (700, 1_300)


async def test_a_caller_that_leaves_takes_its_answer_along_and_not_the_write(partners: Any) -> None:
    lanes = PairLanes(partners.recorder)
    asking = asyncio.create_task(lanes.record(*pair(partners, 1, 300)))
    await asyncio.sleep(0)
    asking.cancel()
    await lanes.close()
    assert await partners.balances() == (700, 1_300)


async def test_too_many_that_wait_are_told_so(partners: Any) -> None:
    lanes = PairLanes(partners.recorder, waiting=2)
    asking = [asyncio.create_task(lanes.record(*pair(partners, n, 1))) for n in range(6)]
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    codes = [outcome.code for outcome in outcomes if isinstance(outcome, Refused)]
    assert codes
    assert set(codes) == {Code.OVERLOADED}
    assert (await partners.balances())[1] == 1_000 + 6 - len(codes)


async def test_pairs_of_others_are_not_taken(partners: Any) -> None:
    with pytest.raises(ValueError, match="the same two tenants"):
        await record_pairs(partners.recorder, [(partners.leg(0, 1), partners.leg(0, 1))])
