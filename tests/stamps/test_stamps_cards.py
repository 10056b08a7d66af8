"""A punch card through the recorder, on real tables: config, rules, needs, writers, facts."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from loyalty.errors import Refused
from loyalty_stamps import tables
from loyalty_stamps.plugin import plugin


async def test_a_full_card_is_paid_and_the_next_one_begins(shop: Any) -> None:
    await shop.run("card")
    member = await shop.member()

    await shop.record(shop.coffees(member, 2))
    before = await shop.points(member)
    recorded = await shop.record(shop.coffees(member, 2))

    assert (before, await shop.points(member), await shop.stamps(member)) == (0, 10, [1])
    assert [(e["rule"], e["amount"]) for e in recorded.answer["earned"]] == [("card/card", 10)]
    (decision,) = await shop.rows(
        "select body from loyalty.decision where fact_id = $1", recorded.fact_id
    )
    (emitted,) = decision["body"]["emitted"]
    assert (emitted["kind"], emitted["payload"]["cards"]) == ("stamps.card_filled/1", 1)
    topics = {row["topic"] for row in await shop.rows("select topic from loyalty.outbox")}
    assert "stamps.card_filled/1" in topics


async def test_only_lines_of_the_category_are_stamped(shop: Any) -> None:
    await shop.run("card", category="coffee/hot")
    member = await shop.member()

    await shop.record(shop.coffees(member, 1, category="coffee"))
    await shop.record(shop.coffees(member, 1, category="coffee/hotter"))
    await shop.record(shop.coffees(member, 1, category="coffee/hot/flat-white"))
    await shop.record(shop.coffees(member, 1, category="coffee/hot"))

    assert await shop.stamps(member) == [2]


async def test_a_later_fact_of_a_batch_sees_the_card_that_an_earlier_one_stamped(shop: Any) -> None:
    await shop.run("card")
    member, other = await shop.member(), await shop.member()

    await shop.records(
        *(shop.coffees(who, 1) for _ in range(4) for who in (member, other)),
    )

    assert (await shop.points(member), await shop.stamps(member)) == (10, [1])
    assert (await shop.points(other), await shop.stamps(other)) == (10, [1])


async def test_needs_are_loaded_once_for_a_whole_batch(make_shop: Any) -> None:
    asked: list[int] = []

    async def counted(connection: Any, requests: Any) -> Any:
        asked.append(len(requests))
        return await tables.load_cards(connection, requests)

    loaders = tuple(
        replace(loader, load=counted) if loader.name == "card" else loader
        for loader in plugin.needs
    )
    shop = await make_shop([replace(plugin, needs=loaders)])
    await shop.run("card")
    await shop.run("second")
    members = [await shop.member() for _ in range(5)]
    asked.clear()

    await shop.records(*(shop.coffees(member, 1) for member in members))

    assert asked == [10]  # five purchases, two programs, each asked for once


async def test_a_refused_fact_writes_no_row_of_the_plugin(shop: Any) -> None:
    await shop.run("card")
    member = await shop.member()
    good = shop.coffees(member, 1, external_id="same")

    await shop.record(good)
    with pytest.raises(Refused):
        await shop.record(shop.coffees(member, 2, external_id="same"))

    assert await shop.stamps(member) == [1]


async def test_a_replay_writes_nothing(shop: Any) -> None:
    await shop.run("card")
    member = await shop.member()
    purchase = shop.coffees(member, 4)
    first = await shop.record(purchase)

    again = await shop.record(purchase)
    both = await shop.records(purchase, purchase)

    assert [outcome.replayed for outcome in (first, again, *both)] == [False, True, True, True]
    assert (await shop.points(member), await shop.stamps(member)) == (10, [1])
    assert len(await shop.rows("select 1 from loyalty.stamps_given")) == 1


async def test_a_return_takes_the_stamps_and_the_full_card_back(shop: Any) -> None:
    await shop.run("card")
    member = await shop.member()
    await shop.record(shop.coffees(member, 1))
    purchase = shop.coffees(member, 3)
    await shop.record(purchase)
    assert (await shop.points(member), await shop.stamps(member)) == (10, [1])

    await shop.record(shop.back(purchase))

    assert (await shop.points(member), await shop.stamps(member)) == (0, [0])
    given = await shop.rows("select sum(stamps)::int as stamps from loyalty.stamps_given")
    assert given[0]["stamps"] == 1


async def test_a_return_takes_no_other_purchases_stamps(shop: Any) -> None:
    await shop.run("card", needed=10)
    member = await shop.member()
    kept, purchase = shop.coffees(member, 3), shop.coffees(member, 2)
    await shop.records(kept, purchase)

    await shop.record(shop.back(purchase))

    assert await shop.stamps(member) == [3]


async def test_a_reward_comes_back_line_by_line(shop: Any) -> None:
    """What a card paid is shared over the lines that filled it, as if they had earned it."""
    await shop.run("card")
    member = await shop.member()
    purchase = shop.coffees(member, 3)
    await shop.record(purchase)

    left = []
    for number in range(3):
        await shop.record(shop.back(purchase, f"cup-{number}"))
        left.append(await shop.points(member))

    assert left == [6, 3, 0]  # 10 points over three equal lines: 4, 3 and 3


async def test_a_purchase_and_its_return_in_one_batch_leave_nothing(shop: Any) -> None:
    await shop.run("card")
    member = await shop.member()
    purchase = shop.coffees(member, 5)

    await shop.records(purchase, shop.back(purchase))

    assert (await shop.points(member), await shop.stamps(member)) == (0, [0])


async def test_a_return_that_waited_takes_the_stamps_as_well(shop: Any) -> None:
    await shop.run("card")
    member = await shop.member()
    purchase = shop.coffees(member, 2)

    await shop.record(shop.back(purchase))
    await shop.record(purchase)

    assert await shop.stamps(member) == [0]


async def test_a_card_past_its_end_is_thrown_away_once(shop: Any) -> None:
    await shop.run("card", card_days=30)
    member = await shop.member()
    await shop.record(shop.coffees(member, 2))

    shop.pass_time(days=29)
    early = await shop.run_jobs()
    shop.pass_time(days=1)
    (expired,) = await shop.run_jobs()
    late = await shop.run_jobs()

    assert (early, expired.kind, late) == ([], "stamps.card_expired/1", [])
    assert await shop.stamps(member) == [0]


async def test_two_sweeps_at_once_are_one_expiry(shop: Any) -> None:
    await shop.run("card", card_days=30)
    member = await shop.member()
    await shop.record(shop.coffees(member, 2))
    shop.pass_time(days=31)

    first, second = await asyncio.gather(shop.run_jobs(), shop.run_jobs())

    assert sorted(outcome.replayed for outcome in (*first, *second)) in ([False], [False, True])
    assert len(await shop.rows("select 1 from loyalty.fact where scope like 'stamps.%'")) == 1


async def test_what_ended_does_not_count_whether_or_not_a_sweep_ran(shop: Any) -> None:
    await shop.run("card", card_days=20)
    member = await shop.member()
    await shop.record(shop.coffees(member, 2))

    shop.pass_time(days=20)
    await shop.record(shop.coffees(member, 2))
    shop.pass_time(days=1)

    assert await shop.run_jobs() == []  # the card that would have ended is another one by now
    assert (await shop.points(member), await shop.stamps(member)) == (0, [2])
