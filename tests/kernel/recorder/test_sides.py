"""A transaction of two tenants: each statement sees the rows of the one it is sent as."""

from typing import Any

import asyncpg
import pytest

from loyalty.ids import new_id
from loyalty.recorder.loading import OPEN_BATCH
from loyalty.recorder.sides import Side, Sides
from loyalty.recorder.wants import Wants

SEEN = "select string_agg(distinct tenant_id::text, ' ') from loyalty.member"


@pytest.fixture
async def two(make_world: Any) -> Any:
    """A transaction of two tenants with a member each, as either of them."""
    here, there = await make_world(), await make_world()
    for world in (here, there):
        await world.member()
    async with here.database.tenants() as connection:
        sides = Sides(connection, frozenset((here.tenant_id, there.tenant_id)))
        await sides.begin(here.tenant_id)
        yield [(world.tenant_id, sides.of(world.tenant_id)) for world in (here, there)]
        await connection.execute("rollback")


async def _seen(side: Side) -> Any:
    return await side.fetchval(SEEN)


async def test_each_sees_its_own_rows_whoever_spoke_before(two: Any) -> None:
    (here, ours), (there, theirs) = two
    assert [await _seen(side) for side in (ours, theirs, theirs, ours)] == [
        str(tenant) for tenant in (here, there, there, here)
    ]
    assert (await theirs.fetchrow(SEEN))[0] == str(there)
    assert (await ours.fetch(SEEN))[0][0] == str(here)


async def test_a_batch_is_opened_as_the_tenant_that_it_names(two: Any) -> None:
    (here, ours), (there, theirs) = two
    nothing = Wants().arguments()
    for tenant, side in ((there, theirs), (here, ours)):
        row = await side.fetchrow(OPEN_BATCH, tenant, *nothing)
        assert row["status"] == "ACTIVE"
        assert await _seen(side) == str(tenant)


async def test_none_opens_a_batch_as_another(two: Any) -> None:
    (_, ours), (there, theirs) = two
    await _seen(theirs)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="not the tenant"):
        await ours.fetchrow(OPEN_BATCH, there, *Wants().arguments())


async def test_who_is_no_side_of_it_has_no_say(make_world: Any) -> None:
    world = await make_world()
    async with world.database.tenants() as connection:
        with pytest.raises(ValueError, match="no side of this transaction"):
            Sides(connection, frozenset((world.tenant_id,))).of(new_id())
