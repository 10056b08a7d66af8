"""What is kept for how long: nothing that waits for an endpoint that is enabled is ever deleted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loyalty_tenants.cleaning import clean
from loyalty_tenants.webhooks import deliveries, endpoints

TABLES = ("endpoint", "secret", "event", "delivery", "line")


async def counts(world: Any) -> dict[str, int]:
    return {name: len(await world.rows(f"select 1 from loyalty.webhook_{name}")) for name in TABLES}


@pytest.fixture
async def clean_after(world: Any, office: Any) -> Any:
    """Cleans as if so much time had passed."""

    async def go(**time: float) -> int:
        later = datetime.now(UTC) + timedelta(**time)
        deleted = 0
        while more := await clean(office.database, world.tenant_id, later, batch=2):
            deleted += more
        return deleted

    return go


async def test_what_was_delivered_goes_after_a_week_and_what_is_dead_after_a_month(
    world: Any, office: Any, receiver: Any, clean_after: Any
) -> None:
    made = await office.endpoint(world, f"{receiver.url}/all", ["member.enrolled.v1"])
    for _ in range(5):
        await world.member()
    await office.tell(world)
    await office.deliver()
    dead = (await office.deliveries(world))[0]["id"]
    await office.rows("update loyalty.webhook_delivery set state = 'DEAD' where id = $1", dead)

    assert await clean_after(days=6) == 0
    assert await clean_after(days=8) == 8
    assert await counts(world) == {
        "endpoint": 1, "secret": 1, "event": 1, "delivery": 1, "line": 0,
    }  # fmt: skip
    await office.change(world, deliveries.replay, [dead])
    assert await clean_after(days=400) == 0
    await office.deliver()
    assert await clean_after(days=400) == 2
    assert made.endpoint.id


async def test_what_waits_for_a_disabled_endpoint_is_kept_for_a_week(
    world: Any, office: Any, receiver: Any, clean_after: Any
) -> None:
    made = await office.endpoint(world, f"{receiver.url}/all", ["member.enrolled.v1"])
    await world.member()
    await office.tell(world)

    assert await clean_after(days=100) == 0
    await office.change(world, endpoints.disable, made.endpoint.id)
    assert await clean_after(days=6) == 0
    assert await clean_after(days=8) == 2
    await office.change(world, endpoints.enable, made.endpoint.id)
    await office.deliver()  # a line that leads to nothing ends
    assert (await counts(world))["line"] == 0
    assert receiver.heard == []


async def test_of_a_deleted_endpoint_nothing_is_left(
    world: Any, office: Any, receiver: Any, clean_after: Any
) -> None:
    made = await office.endpoint(world, f"{receiver.url}/all", ["member.enrolled.v1"])
    other = await office.endpoint(world, f"{receiver.url}/other", ["member.enrolled.v1"])
    for _ in range(3):
        await world.member()
    await office.tell(world)
    await office.change(world, endpoints.delete, made.endpoint.id)

    await clean_after(days=2)

    assert await counts(world) == {
        "endpoint": 1, "secret": 1, "event": 3, "delivery": 3, "line": 3,
    }  # fmt: skip
    await office.deliver()
    assert {one.path for one in receiver.heard} == {"/other"}
    assert other.endpoint.status == "ENABLED"


async def test_a_secret_that_ended_goes(
    world: Any, office: Any, receiver: Any, clean_after: Any
) -> None:
    made = await office.endpoint(world, f"{receiver.url}/all", ["member.enrolled.v1"])
    await office.change(world, endpoints.rotate, made.endpoint.id)

    assert await clean_after(hours=23) == 0
    assert await clean_after(hours=25) == 1
    assert (await counts(world))["secret"] == 1
