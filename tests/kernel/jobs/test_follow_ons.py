"""Facts that fall due: once, in order, never after they were called off, again after a failure."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from loyalty.facts import ActivityRecorded
from loyalty.ids import new_id
from loyalty.plugin_set import PluginSet
from loyalty.purchase import ReturnedLine
from loyalty.recorder.each import Outcome
from loyalty.recorder.recorder import Recorder
from loyalty.settlement.request import Request
from loyalty_points.plugin import plugin as points


@pytest.fixture
async def world(make_world: Any, echo: Any) -> Any:
    made = await make_world(plugins=(points, echo.plugin))
    await made.run_program("echo", {"unit": "points"}, kind="echo")
    yield made
    await made.audited()


def thanks(world: Any, by: Any, to: UUID, **more: Any) -> ActivityRecorded:
    return ActivityRecorded(
        member=by,
        occurred_at=world.clock.now(),
        source="app",
        external_id=str(new_id()),
        type="thanks",
        attributes={"to": str(to), **more},
    )


async def due(world: Any) -> list[Any]:
    return list(await world.rows("select * from loyalty.due_fact order by id"))


async def test_another_members_share_is_settled_once_by_two_workers(world: Any, hands: Any) -> None:
    one, other = await world.member(), await world.member()
    await world.records(*(thanks(world, one, other.id) for _ in range(30)))

    await asyncio.gather(*(hands.run(world) for _ in range(2)))

    assert (await world.balance(other)).available == 300
    assert {row["state"] for row in await due(world)} == {"DONE"}


async def test_what_falls_due_later_waits_for_its_instant_and_keeps_the_order(
    world: Any, hands: Any
) -> None:
    one, other = await world.member(), await world.member()
    start = world.clock.now()
    for days in (3, 1, 2):
        at = (start + timedelta(days=days)).isoformat()
        await world.record(thanks(world, one, other.id, at=at, points=days))
    await hands.run(world)
    assert (await world.balance(other)).total == 0

    world.pass_time(days=4)
    await hands.run(world)

    lots = await world.rows("select granted, occurred_at from loyalty.lot order by id")
    assert [(lot["granted"], (lot["occurred_at"] - start).days) for lot in lots] == [
        (1, 1), (2, 2), (3, 3),
    ]  # fmt: skip


async def test_what_cannot_stand_is_refused_with_its_reason(world: Any, hands: Any) -> None:
    await world.record(thanks(world, await world.member(), new_id()))

    await hands.run(world)

    (row,) = await due(world)
    assert (row["state"], row["reason"]["code"]) == ("REFUSED", "MEMBER_NOT_FOUND")
    assert await hands.run(world) == 0


async def test_an_error_of_ours_is_tried_again_later_and_holds_nobody_up(
    world: Any, hands: Any, echo: Any
) -> None:
    one, other = await world.member(), await world.member()
    await world.record(thanks(world, one, other.id))
    await world.record(world.purchase(one, 500, at=world.clock.now() - timedelta(days=20)))
    echo.trouble.thanks = True
    await hands.run(world)
    (row,) = await due(world)
    assert (row["state"], row["attempts"]) == ("WAITING", 1)
    assert row["retry_at"] > world.clock.now()

    echo.trouble.thanks = False
    assert await hands.run(world) == 0  # not yet
    world.pass_time(minutes=1)
    await hands.run(world)

    assert [row["state"] for row in await due(world)] == ["DONE"]
    assert (await world.balance(other)).available == 10


async def test_facts_of_a_plugin_that_is_not_there_wait_and_are_logged_once(
    world: Any, hands: Any, caplog: Any
) -> None:
    one, other = await world.member(), await world.member()
    await world.records(*(thanks(world, one, other.id) for _ in range(3)))
    everything, world.plugins = world.plugins, PluginSet((points,))

    with caplog.at_level(logging.WARNING, "loyalty.jobs"):
        await hands.run(world)

    assert [r.args[0] for r in caplog.records] == ["echo.thanked/1"]
    assert {row["state"] for row in await due(world)} == {"WAITING"}
    world.plugins = everything
    world.pass_time(hours=1)
    await hands.run(world)
    assert (await world.balance(other)).available == 30


async def test_what_a_return_called_off_never_happens(world: Any, hands: Any) -> None:
    one, other = await world.member(), await world.member()
    purchase = world.purchase(one, 500)
    object.__setattr__(purchase, "attributes", {"thank": str(other.id)})
    await world.record(purchase)
    await world.record(world.back(purchase))
    world.pass_time(days=4)

    await hands.run(world)

    assert [row["state"] for row in await due(world)] == ["CANCELLED"]
    assert (await world.balance(other)).total == 0


async def test_a_return_that_comes_while_a_worker_is_at_it_wins(world: Any, hands: Any) -> None:
    one, other = await world.member(), await world.member()
    purchase = world.purchase(one, 500)
    object.__setattr__(purchase, "attributes", {"thank": str(other.id)})
    await world.record(purchase)
    world.pass_time(days=4)

    class Interrupted(Recorder):
        async def record_many(
            self, tenant_id: UUID, requests: Sequence[Request], **how: Any
        ) -> list[Outcome]:
            if any(request.follows for request in requests):
                await world.record(world.back(purchase, return_id="r-1"))
            return await super().record_many(tenant_id, requests, **how)

    await hands.worker(world, Interrupted).run_due(world.tenant_id)
    await hands.run(world)

    assert [row["state"] for row in await due(world)] == ["CANCELLED"]
    assert (await world.balance(other)).total == 0


async def test_an_undoing_waits_for_what_it_undoes(world: Any, hands: Any, echo: Any) -> None:
    one, other = await world.member(), await world.member()
    purchase = world.purchase(one, 500)
    object.__setattr__(purchase, "attributes", {"thank": str(other.id)})
    await world.record(purchase)
    world.pass_time(days=4)
    echo.trouble.thanks = True
    await hands.run(world)  # tried in vain
    await world.record(world.back(purchase, ReturnedLine(id="1", amount=250)))
    await hands.run(world)
    assert {row["state"] for row in await due(world)} == {"WAITING"}

    echo.trouble.thanks = False
    world.pass_time(hours=2)
    await hands.run(world)

    assert {row["state"] for row in await due(world)} == {"DONE"}
    assert (await world.balance(other)).total == 5
