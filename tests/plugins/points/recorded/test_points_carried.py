"""What caps cut is given by the worker when the next period begins, once."""

from typing import Any

import pytest

from loyalty.facts import MemberClosed
from loyalty.units import MINOR_MAX
from tests.plugins.points.recorded.conftest import RULE

CAP = {"points": "15", "period": "month", "carry_over": True}


@pytest.mark.parametrize("turn", ["00:30", "23:30"])  # the first of November has 25 hours
async def test_the_worker_gives_what_was_cut_on_the_first_day(club: Any, turn: str) -> None:
    shop = await club(f"2026-10-20T{turn}", rules=[RULE | {"caps": [CAP]}])
    ada, bob = await shop.world.member(), await shop.world.member()
    await shop.buys(ada, "25.00")
    await shop.buys(bob, "15.00")
    await shop.comes("2026-10-31T23:59")
    assert (await shop.world.balance(ada)).total == 15

    await shop.comes("2026-11-01T00:00")
    assert (await shop.world.balance(ada)).total == 25, "whenever the worker has its turns"
    await shop.comes(f"2026-11-01T{turn}")
    await shop.comes("2026-11-02T12:00")
    await shop.works()

    assert (await shop.world.balance(ada)).total == 25
    assert (await shop.world.balance(bob)).total == 15
    rows = await shop.world.rows(
        "select member_id, occurred_at from loyalty.fact where kind = 'points.carried_over/1'"
    )
    assert [tuple(row) for row in rows] == [(ada.id, shop.local("2026-11-01T00:00"))]


async def test_what_goes_back_of_it_is_counted_where_it_was_given(club: Any) -> None:
    """November gave 10 of October; they went back in December. A cap that is published later is
    filled from history and says the same of each month as the one that was there."""
    rule = RULE | {"caps": [CAP]}
    shop = await club("2026-10-20T12:00", rules=[rule])
    ada = await shop.world.member()
    october = await shop.buys(ada, "25.00")
    await shop.comes("2026-11-01T12:00")
    await shop.buys(ada, "3.00")
    await shop.comes("2026-12-05T12:00")
    await shop.world.record(shop.world.back(october))
    assert (await shop.world.balance(ada)).total == 3

    another = {"points": "20", "period": "month"}
    await shop.publishes(RULE, caps=[another])
    await shop.publishes(rule, caps=[another])
    for total, at, granted in (
        ("30.00", "2026-12-06T12:00", 15), ("30.00", "2026-11-20T12:00", 12),
    ):  # fmt: skip
        before = (await shop.world.balance(ada)).total
        await shop.comes("2026-12-07T12:00")
        await shop.buys(ada, total, at)
        assert (await shop.world.balance(ada)).total - before == granted, at


async def test_who_left_keeps_nobody_from_what_is_theirs(
    club: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was cut of theirs is owed to nobody any more: they are not named turn after turn, in the
    place of others where more are owed something than are named at once."""
    monkeypatch.setattr("loyalty_earning.jobs.AT_ONCE", 1)
    shop = await club("2026-10-20T12:00", rules=[RULE | {"caps": [CAP]}])
    ada, bob = sorted(
        [await shop.world.member(), await shop.world.member()], key=lambda one: str(one.id)
    )
    for member in (ada, bob):
        await shop.buys(member, "25.00")
    await shop.world.record(MemberClosed(member=ada, occurred_at=shop.world.clock.now()))

    await shop.comes("2026-11-01T00:30")

    assert (await shop.world.balance(bob)).total == 25
    assert (await shop.world.balance(ada)).total == 0


async def test_who_cannot_be_given_what_was_cut_keeps_nobody_from_theirs(
    club: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loyalty_earning.jobs.AT_ONCE", 1)
    shop = await club("2026-10-20T12:00", rules=[RULE | {"caps": [CAP]}])
    rich, bob = [await shop.world.member() for _ in range(2)]
    for member in (rich, bob):
        await shop.buys(member, "25.00")
    had = (await shop.world.balance(rich)).total
    await shop.world.give(rich, MINOR_MAX - had, days=12.6)

    await shop.comes("2026-11-01T00:30")

    assert (await shop.world.balance(bob)).total == 25
    assert (await shop.world.balance(rich)).total == MINOR_MAX
    await shop.comes("2026-11-02T06:00")  # a day later what they had has ended
    await shop.comes("2026-11-02T10:30")
    assert (await shop.world.balance(rich)).total == 25
