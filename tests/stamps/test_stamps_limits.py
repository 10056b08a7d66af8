"""Counters and the caps on them, traits, luck: what a rule sees, and when."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from loyalty.facts import PurchaseRecorded
from loyalty.recorder.recorder import Recorder
from loyalty.settlement.measuring import from_history
from loyalty.settlement.request import Request


async def test_a_member_fills_as_many_cards_a_month_as_the_config_says(shop: Any) -> None:
    await shop.run("card", cards_per_month=2)
    member = await shop.member()

    await shop.records(*(shop.coffees(member, 2) for _ in range(5)))
    capped = await shop.points(member), await shop.stamps(member)
    shop.wait_until(datetime(2026, 2, 1, 5, tzinfo=UTC))  # midnight in New York
    await shop.record(shop.coffees(member, 1))

    assert capped == (20, [4])
    assert (await shop.points(member), await shop.stamps(member)) == (30, [2])


async def test_a_month_ends_at_local_midnight(shop: Any) -> None:
    await shop.run("card", cards_per_month=1)
    member = await shop.member()
    await shop.record(shop.coffees(member, 3))

    shop.wait_until(datetime(2026, 2, 1, 4, 59, tzinfo=UTC))
    await shop.record(shop.coffees(member, 3))

    assert (await shop.points(member), await shop.stamps(member)) == (10, [3])


async def test_one_purchase_over_the_cap_fills_only_what_is_left(shop: Any) -> None:
    await shop.run("card", cards_per_month=2)
    member = await shop.member()

    await shop.record(shop.coffees(member, 10))

    assert (await shop.points(member), await shop.stamps(member)) == (20, [4])


async def test_a_budget_of_all_members_is_kept_to_the_point_under_concurrency(shop: Any) -> None:
    await shop.run("card", budget_per_month=75)
    members = [await shop.member() for _ in range(12)]
    others = [
        Recorder(shop.database, shop.plugins, shop.recorder.setups, shop.clock) for _ in range(4)
    ]

    async def buy(number: int) -> Any:
        request = Request(fact=shop.coffees(members[number], 3), actor="test")
        return await others[number % 4].record_many(shop.tenant_id, [request])

    await asyncio.gather(*(buy(number) for number in range(12)))

    assert sum([await shop.points(member) for member in members]) == 75
    cut = await shop.rows(
        """select g ->> 'granted' as granted, g ->> 'wanted' as wanted, g ->> 'cutBy' as by
             from loyalty.decision, jsonb_array_elements(body -> 'grants') g
            where g ->> 'cutBy' is not null"""
    )
    assert sorted((row["granted"], row["wanted"], row["by"]) for row in cut) == sorted(
        [("5", "10", "BUDGET"), *[("0", "10", "BUDGET")] * 4]
    )


async def test_budgets_of_two_programs_do_not_mix(shop: Any) -> None:
    await shop.run("one", budget_per_month=10)
    await shop.run("two", budget_per_month=30)
    members = [await shop.member() for _ in range(3)]

    for member in members:
        await shop.record(shop.coffees(member, 3))

    assert [await shop.points(member) for member in members] == [20, 10, 10]


async def test_counters_filled_from_history_are_what_they_were_when_it_happened(shop: Any) -> None:
    await shop.run("one", budget_per_month=25, cards_per_month=3)
    await shop.run("two")
    member = await shop.member()
    await shop.records(*(shop.coffees(member, 4) for _ in range(4)))

    live = {
        row["name"]: row["value"]
        for row in await shop.rows(
            """select split_part(name, '@', 1) as name, sum(value)::int as value
                 from loyalty.counter group by 1"""
        )
    }
    setup = await shop.recorder.setups.get(shop.tenant_id)
    plugin = shop.plugins.by_name["stamps"]
    counters = plugin.counters(setup.program("one").versions[0].config)
    again = dict.fromkeys((f"one/{counter.name}" for counter in counters), 0)
    for row in await shop.rows(
        """select f.kind, f.payload, d.body from loyalty.fact f
             join loyalty.decision d on d.fact_id = f.id where f.kind = $1""",
        PurchaseRecorded.KIND,
    ):
        fact = shop.plugins.codec.load(row["kind"], row["payload"], member)
        for counter in counters:
            again[f"one/{counter.name}"] += sum(
                counter.measure(one, grants, "one")
                for one, grants in from_history(shop.plugins.codec, fact, row["body"])
            )

    assert live == again == {"one/filled": 3, "one/paid": 25}


async def test_a_trait_is_seen_by_the_next_fact_and_not_by_the_one_that_sets_it(shop: Any) -> None:
    await shop.run("card", first_card=5)
    member = await shop.member()

    first, second = await shop.records(shop.coffees(member, 3), shop.coffees(member, 3))
    third = await shop.record(shop.coffees(member, 3))

    def rules(recorded: Any) -> list[str]:
        return [earned["rule"] for earned in recorded.answer["earned"]]

    assert rules(first) == ["card/card", "card/first-card"]
    assert rules(second) == rules(third) == ["card/card"]
    traits = await shop.rows("select name, value from loyalty.trait order by recorded_at, value")
    assert [tuple(row) for row in traits] == [("card.cards_filled", n) for n in (1, 2, 3)]


async def test_luck_is_drawn_once_and_kept(shop: Any) -> None:
    await shop.run("card", needed=100, lucky_one_in=2)
    member = await shop.member()
    purchases = [shop.coffees(member, 1) for _ in range(40)]

    recorded = await shop.records(*purchases)
    (stamps,) = await shop.stamps(member)
    again = await shop.records(*purchases)

    rolls = {
        row["fact_id"]: row["body"]["draws"]
        for row in await shop.rows("select fact_id, body from loyalty.decision")
        if "draws" in row["body"]
    }
    assert rolls.keys() == {one.fact_id for one in recorded}
    lucky = sum(draw["roll"] < 0.5 for (draw,) in rolls.values())
    assert {draw["label"] for (draw,) in rolls.values()} == {"lucky stamp"}
    assert (stamps, 0 < lucky < 40) == (40 + lucky, True)
    assert all(one.replayed for one in again)
    assert await shop.stamps(member) == [stamps]


async def test_a_preview_draws_nothing_and_writes_nothing(shop: Any) -> None:
    await shop.run("card", needed=2, lucky_one_in=1)
    member = await shop.member()
    purchase = Request(fact=shop.coffees(member, 1), actor="test")

    previewed = await shop.recorder.preview(shop.tenant_id, purchase)

    assert previewed.answer.get("earned", []) == []  # a lucky stamp would fill the card
    assert await shop.stamps(member) == []
    await shop.recorder.record_many(shop.tenant_id, [purchase])
    assert await shop.points(member) == 10
