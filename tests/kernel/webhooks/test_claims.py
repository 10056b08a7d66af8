"""Claims: leased, fenced, capped by tenant and endpoint; and nothing forgotten in between."""

import asyncio
from collections import Counter
from contextvars import Context
from datetime import UTC, datetime, timedelta
from typing import Any

from loyalty_tenants.webhooks.queue import Answer

FAST = 1e-5


async def test_two_that_tell_and_two_that_send_at_once_say_everything_once(
    world: Any, office: Any, receiver: Any
) -> None:
    await office.endpoint(world, f"{receiver.url}/all", ["purchase.recorded.v1"])
    members = [await world.member() for _ in range(5)]
    bought = await world.records(*(world.purchase(who, 100) for _ in range(30) for who in members))

    await asyncio.gather(*(office.tell(world) for _ in range(4)))
    await office.tell(world)
    await asyncio.gather(*(office.deliver() for _ in range(3)))
    await office.deliver()

    heard = Counter(one.id for one in receiver.heard)
    assert (len(heard), max(heard.values())) == (150, 1)
    assert len(bought) == 150


async def test_an_endpoint_that_rests_gets_one_thing_at_a_time(
    world: Any, office: Any, receiver: Any
) -> None:
    made = await office.endpoint(world, f"{receiver.url}/all", ["member.enrolled.v1"])
    for _ in range(12):
        await world.member()
    await office.tell(world)
    queue = office.queue()

    now = datetime.now(UTC)
    assert len(await queue.claim(100, now)) == 8
    assert await queue.claim(100, now) == []
    await office.rows("update loyalty.webhook_line set state = 'READY', lease_token = null")
    await office.rows("update loyalty.webhook_endpoint set failures = 3")
    assert len(await queue.claim(100, now)) == 1
    await office.rows("update loyalty.webhook_line set state = 'READY', lease_token = null")
    await office.rows("update loyalty.webhook_endpoint set rest_until = now() + interval '1 hour'")
    assert await queue.claim(100, now) == []
    assert made.endpoint.failures == 0


async def test_a_tenant_with_very_much_to_send_leaves_room_for_the_others(
    make_world: Any, office: Any, receiver: Any
) -> None:
    big, small = await make_world(), await make_world()
    for number in range(4):
        await office.endpoint(big, f"{receiver.url}/{number}", ["member.enrolled.v1"])
    await office.endpoint(small, f"{receiver.url}/small", ["member.enrolled.v1"])
    for _ in range(20):
        await big.member()
    await small.member()
    await office.tell(big)

    letters = await office.queue().claim(100, datetime.now(UTC))

    assert Counter(letter.tenant_id for letter in letters) == {
        big.tenant_id: 16, small.tenant_id: 1,
    }  # fmt: skip


async def test_a_lease_that_ran_out_is_anothers_and_a_late_note_changes_nothing(
    world: Any, office: Any, receiver: Any
) -> None:
    await office.endpoint(world, f"{receiver.url}/all", ["member.enrolled.v1"])
    await world.member()
    await office.tell(world)
    late = office.queue(lease=timedelta(milliseconds=50))
    now = datetime.now(UTC)
    (held,) = await late.claim(10, now)
    await asyncio.sleep(0.1)
    (taken,) = await office.queue().claim(10, now)

    assert await late.note(held, Answer(status=204), now) is False
    assert [row["state"] for row in await office.deliveries(world)] == ["PENDING"]
    assert held.event_id == taken.event_id
    assert await office.queue().note(taken, Answer(status=500, problem="x"), now) is True
    (row,) = await office.deliveries(world)
    assert (row["state"], row["attempts"]) == ("PENDING", 1)


async def test_what_is_added_while_a_line_ends_is_not_forgotten(
    world: Any, office: Any, receiver: Any
) -> None:
    await office.endpoint(world, f"{receiver.url}/all", ["purchase.recorded.v1"])
    ana = await world.member()

    async def buy() -> None:
        for _ in range(40):
            await world.record(world.purchase(ana, 100))

    async def work() -> None:
        while not buying.done():
            await office.tell(world)
            await office.deliver()

    buying = asyncio.create_task(buy())
    await asyncio.gather(buying, work(), work())
    await office.tell(world)
    await office.deliver()

    assert len({one.id for one in receiver.heard}) == 40
    assert {row["state"] for row in await office.deliveries(world)} == {"DELIVERED"}


async def test_a_fan_out_waits_for_who_is_just_ending_a_line(
    world: Any, office: Any, worker_database: Any
) -> None:
    await office.endpoint(world, "http://127.0.0.1:9/all", ["purchase.recorded.v1"])
    ana = await world.member()
    await world.record(world.purchase(ana, 100))
    await office.tell(world)
    await world.record(world.purchase(ana, 100))

    async with worker_database.tenant(world.tenant_id) as ending:
        await ending.fetch("select 1 from loyalty.webhook_line for update")
        telling = asyncio.create_task(office.tell(world), context=Context())
        await asyncio.sleep(0.3)
        assert not telling.done()
        await ending.execute("delete from loyalty.webhook_line")
    await telling

    assert len(await world.rows("select 1 from loyalty.webhook_line")) == 1
    assert len(await office.deliveries(world)) == 2
