"""Points that are pending: until the return window closes, or until they are activated."""

from typing import Any

import pytest

from loyalty.errors import Refused
from loyalty_points.commands import ActivatePoints
from tests.plugins.points.recorded.conftest import RULE

CARD = {**RULE, "id": "card", "points": "2", "terms": {"pending_until": "activation"}}


async def activate(shop: Any, member: Any, **which: Any) -> Any:
    return await shop.world.record(
        ActivatePoints(
            member=member, occurred_at=shop.world.clock.now(), program="points", **which
        )
    )  # fmt: skip


async def has(shop: Any, member: Any) -> tuple[int, int]:
    balance = await shop.world.balance(member)
    return balance.available, balance.pending


async def test_points_wait_for_the_end_of_the_return_window(club: Any) -> None:
    terms = {"return_window_days": 30, "pending_until": "return_window"}
    shop = await club("2026-02-20T10:00", terms=terms)
    ada = await shop.world.member()
    await shop.buys(ada, "40.00")

    await shop.comes("2026-03-22T09:59")
    before = await has(shop, ada)
    await shop.comes("2026-03-22T10:00")

    assert (before, await has(shop, ada)) == ((0, 40), (40, 0))
    (lot,) = await shop.world.rows("select available_at, settles_at from loyalty.lot")
    assert lot["available_at"] == lot["settles_at"] == shop.local("2026-03-22T10:00")


async def test_a_return_takes_what_is_pending(club: Any) -> None:
    terms = {"return_window_days": 30, "pending_until": "return_window"}
    shop = await club("2026-02-20T10:00", terms=terms)
    ada = await shop.world.member()
    purchase = await shop.buys(ada, "40.00")
    await shop.comes("2026-03-01T10:00")

    await shop.world.record(shop.world.back(purchase))

    assert await has(shop, ada) == (0, 0)


async def test_the_window_alone_is_kept_with_the_points(club: Any) -> None:
    shop = await club("2026-02-20T10:00", terms={"return_window_days": 14})
    ada = await shop.world.member()
    await shop.buys(ada, "40.00")

    (lot,) = await shop.world.rows("select available_at, settles_at from loyalty.lot")
    assert lot["available_at"] == shop.local("2026-02-20T10:00")
    assert lot["settles_at"] == shop.local("2026-03-06T10:00")


async def test_points_wait_for_their_activation(club: Any) -> None:
    shop = await club("2026-02-20T10:00", rules=[RULE, CARD])
    ada = await shop.world.member()
    start = shop.world.clock.now()
    await shop.buys(ada, "40.00")
    await shop.comes("2026-03-01T10:00")
    assert await has(shop, ada) == (40, 80)

    done = await activate(shop, ada)

    assert await has(shop, ada) == (120, 0)
    assert done.answer["balances"][0]["version"] == 3  # two grants and a term
    (told,) = await shop.told("points.activated/1")
    assert (told["unit"], told["amount"], told["program"]) == ("points", "80", "points")
    await shop.comes("2026-03-10T10:00")
    then = await shop.world.as_of(ada, start)
    assert (then.available, then.pending) == (40, 80)
    await shop.world.redeem(ada, 120)
    assert await has(shop, ada) == (0, 0)


async def test_asked_twice_is_asked_once(club: Any) -> None:
    shop = await club("2026-02-20T10:00", rules=[CARD])
    ada = await shop.world.member()
    await shop.buys(ada, "40.00")
    await activate(shop, ada)

    again = await activate(shop, ada)

    assert again.answer["balances"] == []
    assert len(await shop.told("points.activated/1")) == 1
    assert await has(shop, ada) == (80, 0)


async def test_one_rule_or_one_lot_is_activated(club: Any) -> None:
    shop = await club("2026-02-20T10:00", rules=[{**CARD, "id": "app"}, CARD])
    ada, eve = await shop.world.member(), await shop.world.member()
    await shop.buys(ada, "40.00")

    await activate(shop, ada, rule="app")
    assert await has(shop, ada) == (80, 80)
    (lot,) = await shop.world.rows("select id from loyalty.lot where rule = 'points/card'")
    with pytest.raises(Refused, match="there is no such lot"):
        await activate(shop, eve, lot=lot["id"])
    await activate(shop, ada, lot=lot["id"])
    assert await has(shop, ada) == (160, 0)


@pytest.mark.parametrize(
    ("counted_from", "waiting", "after"),
    [("earned", "2026-05-20T10:00", "2026-05-20T10:00"), ("usable", "", "2026-06-01T10:00")],
)
async def test_a_lifetime_counts_from_earning_or_from_activation(
    club: Any, counted_from: str, waiting: str, after: str
) -> None:
    lifetime = {"span": "P3M", "counted_from": counted_from}
    terms = {"pending_until": "activation", "lifetime": lifetime}
    shop = await club("2026-02-20T10:00", rules=[{**CARD, "terms": terms}])
    ada = await shop.world.member()
    await shop.buys(ada, "40.00")
    assert await shop.ends(ada) == [(waiting, 80)]

    await shop.comes("2026-03-01T10:00")
    await activate(shop, ada)

    assert await shop.ends(ada) == [(after, 80)]


async def test_a_lifetime_may_begin_when_points_can_be_used(club: Any) -> None:
    terms = {"pending_days": 60, "lifetime": {"span": "P1M", "counted_from": "usable"}}
    shop = await club("2026-02-20T10:00", terms=terms)
    ada = await shop.world.member()
    await shop.buys(ada, "40.00")

    assert await shop.ends(ada) == [("2026-05-21T10:00", 40)]


async def test_what_comes_back_is_taken_from_what_was_activated(club: Any) -> None:
    shop = await club("2026-02-20T10:00", rules=[CARD])
    ada = await shop.world.member()
    purchase = await shop.buys(ada, "40.00")
    await activate(shop, ada)

    await shop.world.record(shop.world.back(purchase))

    assert await has(shop, ada) == (0, 0)
