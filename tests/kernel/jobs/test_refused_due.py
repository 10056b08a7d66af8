"""What a job named and was refused: it is tried again, and nobody else waits for it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from loyalty.facts import MemberClosed, MemberRef
from loyalty.plugin import Due, Job
from loyalty.units import MINOR_MAX

KEY = "thanks:"


class Shop:
    """A tenant whose job thanks some members, all of them at once, each once."""

    def __init__(self, echo: Any, make_world: Any, hands: Any) -> None:
        self.echo, self.hands, self._make = echo, hands, make_world
        self.thanked: dict[MemberRef, int] = {}
        self.world: Any = None

    async def opens(self) -> Any:
        job = Job(name="thanks", every=timedelta(hours=6), due=self._due, each_turn=False)
        plugin = replace(self.echo.plugin, jobs=(job,))
        self.world = await self._make(config=None, plugins=(plugin,))
        await self.world.run_program("echo", {}, kind="echo")
        return self.world

    async def _due(self, connection: Any, setup: Any, now: datetime) -> AsyncIterator[Due]:
        for member, points in self.thanked.items():
            fact = self.echo.Thanked(member=member, occurred_at=now, points=points)
            yield Due(key=f"{KEY}{member.id}", fact=fact)

    async def refused(self) -> list[tuple[Any, ...]]:
        rows = await self.world.rows(
            "select member_id, job, reason ->> 'code' as code, attempts from loyalty.refused_due"
            " order by id"
        )
        return [tuple(row) for row in rows]

    async def becomes(self, status: str) -> None:
        async with self.world.database.tenant(self.world.tenant_id) as connection:
            await connection.execute(
                "update loyalty.tenant set status = $1, epoch = epoch + 1", status
            )

    async def got(self, *members: MemberRef) -> list[int]:
        return [(await self.world.balance(member)).total for member in members]


@pytest.fixture
async def shop(make_world: Any, hands: Any, echo: Any) -> AsyncIterator[Shop]:
    made = Shop(echo, make_world, hands)
    world = await made.opens()
    yield made
    await world.audited()


async def test_what_is_refused_of_one_is_kept_and_recorded_once_it_can_be(shop: Shop) -> None:
    ada, rich = await shop.world.member(), await shop.world.member()
    await shop.world.give(rich, MINOR_MAX, days=1)
    shop.thanked = {rich: 5, ada: 7}

    await asyncio.gather(*(shop.hands.run(shop.world) for _ in range(2)))

    assert await shop.got(ada, rich) == [7, MINOR_MAX]
    assert await shop.refused() == [(rich.id, "echo/thanks", "LIMIT_EXCEEDED", 1)]
    shop.world.pass_time(hours=1)
    await shop.hands.run(shop.world)
    assert await shop.refused() == [(rich.id, "echo/thanks", "LIMIT_EXCEEDED", 2)]
    for hours in (24, 4):  # what they had has ended, and then it is tried again
        shop.world.pass_time(hours=hours)
        await shop.hands.run(shop.world)
    assert await shop.got(ada, rich) == [7, 5]
    assert await shop.refused() == []
    rows = await shop.world.rows("select key from loyalty.fact where scope = 'job:echo'")
    assert {row["key"] for row in rows} == {f"{KEY}{ada.id}", f"{KEY}{rich.id}"}


async def test_an_error_of_ours_with_one_is_tried_again_soon_and_holds_up_nothing(
    shop: Shop,
) -> None:
    ada, bob = await shop.world.member(), await shop.world.member()
    shop.echo.trouble.thanks_of = {bob.id}
    shop.thanked = {bob: 5, ada: 7}

    await shop.hands.run(shop.world)
    for seconds in (2, 4, 8):
        shop.world.pass_time(seconds=seconds)
        await shop.hands.run(shop.world)

    assert await shop.got(ada, bob) == [7, 0]
    assert await shop.refused() == [(bob.id, "echo/thanks", "INTERNAL", 4)]
    (job,) = await shop.world.rows("select due_at from loyalty.job where name like 'plugin:%'")
    assert job["due_at"] > shop.world.clock.now() + timedelta(hours=5)  # its turn was one
    shop.echo.trouble.thanks_of = set()
    shop.world.pass_time(seconds=16)
    await shop.hands.run(shop.world)
    assert await shop.got(ada, bob) == [7, 5]
    assert await shop.refused() == []


async def test_while_the_tenant_is_suspended_it_is_the_job_that_waits(shop: Shop) -> None:
    ada = await shop.world.member()
    shop.thanked = {ada: 7}
    await shop.becomes("SUSPENDED")

    await shop.hands.run(shop.world)

    assert await shop.refused() == []
    await shop.becomes("ACTIVE")
    shop.world.pass_time(hours=1)
    await shop.hands.run(shop.world)
    assert await shop.got(ada) == [7]


async def test_of_who_left_nothing_is_kept_nor_tried(shop: Shop) -> None:
    ada, rich = await shop.world.member(), await shop.world.member()
    await shop.world.give(rich, MINOR_MAX)
    shop.thanked = {rich: 5, ada: 7}
    await shop.world.record(MemberClosed(member=ada, occurred_at=shop.world.clock.now()))

    await shop.hands.run(shop.world)

    assert await shop.refused() == [(rich.id, "echo/thanks", "LIMIT_EXCEEDED", 1)]
    await shop.world.record(MemberClosed(member=rich, occurred_at=shop.world.clock.now()))
    shop.world.pass_time(hours=1)
    await shop.hands.run(shop.world)
    assert await shop.refused() == []


async def test_what_is_refused_of_all_is_named_in_slices_and_comes_to_an_end(shop: Shop) -> None:
    members = [await shop.world.member() for _ in range(12)]
    for member in members:
        await shop.world.give(member, MINOR_MAX)
    shop.thanked = dict.fromkeys(members, 5)

    assert await shop.hands.worker(shop.world).round() > 0
    await shop.hands.run(shop.world)

    assert [who for who, *_ in await shop.refused()] == [member.id for member in members]


async def test_where_its_plugin_is_not_installed_it_waits(shop: Shop) -> None:
    rich = await shop.world.member()
    await shop.world.give(rich, MINOR_MAX, days=0.01)
    shop.thanked = {rich: 5}
    await shop.hands.run(shop.world)
    known = shop.world.plugins.codec._types.pop("echo.thanked/1")
    shop.world.pass_time(hours=1)

    await shop.hands.run(shop.world)

    assert await shop.refused() == [(rich.id, "echo/thanks", "LIMIT_EXCEEDED", 1)]
    shop.world.plugins.codec._types["echo.thanked/1"] = known
    shop.world.pass_time(minutes=10)
    await shop.hands.run(shop.world)
    assert await shop.got(rich) == [5]
