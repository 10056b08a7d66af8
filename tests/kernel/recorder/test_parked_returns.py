"""Returns that come before their purchase: kept, applied when it arrives, or refused with why."""

import asyncio
from dataclasses import replace
from typing import Any

from loyalty.errors import Code
from loyalty.purchase import Line, ReturnedLine


async def parked(world: Any) -> list[tuple[str, str, str | None]]:
    rows = await world.rows(
        "select return_id, state, reason ->> 'code' as code from loyalty.parked_return order by id"
    )
    return [tuple(row) for row in rows]


async def test_a_part_that_came_first_is_taken_when_its_purchase_arrives(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 1_000, lines=[Line(id="a", amount=1_000, quantity=4_000)])
    early = world.back(purchase, ReturnedLine(id="a", quantity=1_000), return_id="r-1")
    waiting = await world.record(early)
    assert (waiting.kind, waiting.answer["state"]) == ("ReturnParked", "PARKED")
    assert await parked(world) == [("r-1", "PARKED", None)]

    await world.record(purchase)

    assert await parked(world) == [("r-1", "APPLIED", None)]
    assert (await world.balance(member)).available == 7  # a quarter of 10, half up, came back
    await world.record(world.back(purchase))
    assert (await world.balance(member)).available == 0


async def test_one_that_asks_for_too_much_is_refused_with_its_reason(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 1_000)
    for number, amount in enumerate((600, 600, 400)):
        line = ReturnedLine(id="1", amount=amount)
        await world.record(world.back(purchase, line, return_id=f"r-{number}"))

    await world.record(purchase)

    assert await parked(world) == [
        ("r-0", "APPLIED", None), ("r-1", "REFUSED", "RETURN_TOO_LARGE"), ("r-2", "APPLIED", None),
    ]  # fmt: skip
    assert (await world.balance(member)).available == 0


async def test_the_same_one_twice_waits_once_and_a_changed_one_is_refused(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 1_000)
    line = ReturnedLine(id="1", amount=600)
    early = world.back(purchase, line, return_id="r-1")

    first, again = await world.records(early, early)
    later = await world.record(early)
    changed = await world.refusal(
        world.back(purchase, ReturnedLine(id="1", amount=700), return_id="r-1")
    )

    assert [(o.kind, o.replayed, o.answer) for o in (again, later)] == [
        ("ReturnParked", True, first.answer)
    ] * 2
    assert changed.code is Code.RETURN_CHANGED
    assert await parked(world) == [("r-1", "PARKED", None)]


async def test_a_return_and_its_purchase_in_one_batch(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 1_000)

    outcomes = await world.records(world.back(purchase, return_id="r-1"), purchase)

    assert [o.answer["state"] for o in outcomes] == ["PARKED", "APPLIED"]
    assert await parked(world) == [("r-1", "APPLIED", None)]
    assert (await world.balance(member)).total == 0


async def test_it_waits_for_the_revision_it_names(world: Any) -> None:
    member = await world.member()
    corrected = world.purchase(member, 700, external_id="o-1", revision=2)
    await world.record(world.back(corrected, return_id="r-2"))

    await world.record(world.purchase(member, 1_000, external_id="o-1"))
    assert await parked(world) == [("r-2", "PARKED", None)]
    await world.record(corrected)

    assert await parked(world) == [("r-2", "APPLIED", None)]
    assert (await world.balance(member)).total == 0


async def test_only_returns_of_the_same_shop_are_applied(world: Any) -> None:
    member = await world.member()
    here = world.purchase(member, 1_000, external_id="o-1")
    there = replace(here, source="other shop")
    await world.records(
        world.back(here, return_id="r-here"), world.back(there, return_id="r-there")
    )

    await world.records(here, there)

    assert {state for _, state, _ in await parked(world)} == {"APPLIED"}
    assert (await world.balance(member)).total == 0


async def test_a_purchase_that_is_refused_leaves_its_return_waiting(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 1_000, currency="CHF")
    await world.record(world.back(purchase, return_id="r-1"))

    assert (await world.refusal(purchase)).code is Code.CURRENCY_NOT_LISTED
    assert await parked(world) == [("r-1", "PARKED", None)]


async def test_a_purchase_sent_again_by_two_processes_applies_its_return_once(
    world: Any, second: Any
) -> None:
    member = await world.member()
    purchase = world.purchase(member, 1_000)
    await world.record(world.back(purchase, ReturnedLine(id="1", amount=300), return_id="r-1"))

    await asyncio.gather(
        *(
            recorder.record_many(world.tenant_id, [world.request(purchase)])
            for recorder in (world.recorder, second) * 4
        )
    )

    assert (await world.balance(member)).total == 7
    assert await parked(world) == [("r-1", "APPLIED", None)]
