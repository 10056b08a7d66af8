"""A member who moves: what began in a household ends there."""

from datetime import timedelta

import pytest

from loyalty.commands import CaptureRedemption, ReleaseRedemption, ReverseRedemption
from loyalty.facts import MemberClosed

from .conftest import Home, house


async def test_a_return_takes_back_from_the_household_that_was_granted(home: Home) -> None:
    old, new = house(), house()
    anna, bela = await home.live_in(old, 2)
    bought = home.world.purchase(anna, 1_000)
    await home.world.record(bought)
    await home.move(anna, new)
    await home.world.give(anna, 50)

    recorded = await home.world.record(home.world.back(bought))

    assert await home.have(old, new, anna, bela) == [
        (0, 0, 0), (50, 0, 0), (0, 0, 0), (0, 0, 0),
    ]  # fmt: skip
    assert recorded.answer["balances"] == [{"owner": str(old), "unit": "points", "version": 2}]


async def test_what_the_others_spent_is_owed_there(home: Home) -> None:
    old, new = house(), house()
    anna, bela = await home.live_in(old, 2)
    bought = home.world.purchase(anna, 1_000)
    await home.world.record(bought)
    await home.world.redeem(bela, 8)
    await home.move(anna, new)
    await home.world.give(anna, 50)

    await home.world.record(home.world.back(bought))
    assert await home.have(old, new) == [(0, 0, 8), (50, 0, 0)]

    await home.world.give(bela, 10)  # repays it
    assert await home.have(old) == [(2, 0, 0)]


async def test_what_followed_is_undone_where_it_was_granted(home: Home) -> None:
    old, new = house(), house()
    (thanked,) = await home.live_in(old)
    buyer = await home.world.member()
    bought = home.world.purchase(buyer, 1_000)
    object.__setattr__(bought, "attributes", {"thank": str(thanked.id)})
    await home.world.record(bought)
    await home.work()
    assert await home.have(old, buyer) == [(10, 0, 0), (10, 0, 0)]
    await home.move(thanked, new)

    await home.world.record(home.world.back(bought))
    await home.work()

    assert await home.have(old, new, thanked, buyer) == [(0, 0, 0)] * 4


@pytest.mark.parametrize("end", ["capture", "part", "release", "lapse", "reverse"])
async def test_a_hold_ends_where_it_was_made(home: Home, end: str) -> None:
    old, new = house(), house()
    anna, bela = await home.live_in(old, 2)
    await home.world.give(bela, 10)
    held = await home.world.redeem(anna, 6, capture=False, hold_for=timedelta(days=1))
    assert await home.have(old) == [(4, 6, 0)]
    await home.world.audited()
    await home.move(anna, new)
    now = home.world.clock.now()

    if end == "lapse":
        home.world.pass_time(days=2)
        await home.work()
    elif end == "release":
        await home.world.record(ReleaseRedemption(occurred_at=now, redemption_id=held))
    else:
        amount = 2 if end == "part" else None
        await home.world.record(
            CaptureRedemption(occurred_at=now, redemption_id=held, amount=amount)
        )
    if end == "reverse":
        await home.world.record(ReverseRedemption(occurred_at=now, redemption_id=held))

    left = {"capture": 4, "part": 8, "release": 10, "lapse": 10, "reverse": 10}[end]
    assert await home.have(old, new, anna) == [(left, 0, 0), (0, 0, 0), (0, 0, 0)]


async def test_who_leaves_the_program_leaves_the_household_what_it_has(home: Home) -> None:
    ours, anna = house(), await home.world.member()
    await home.world.give(anna, 5)
    await home.move(anna, ours)
    (bela,) = await home.live_in(ours)
    bought = home.world.purchase(anna, 1_000)
    await home.world.record(bought)
    held = await home.world.redeem(anna, 4, capture=False, hold_for=timedelta(days=9))

    await home.world.record(MemberClosed(member=anna, occurred_at=home.world.clock.now()))

    assert await home.have(ours, anna) == [(6, 4, 0), (0, 0, 0)]
    now = home.world.clock.now()
    await home.world.record(ReleaseRedemption(occurred_at=now, redemption_id=held))
    await home.world.redeem(bela, 10)
    await home.world.record(home.world.back(bought))
    assert await home.have(ours, anna) == [(0, 0, 10), (0, 0, 0)]
