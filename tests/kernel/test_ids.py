"""Ids: of the driver's class of UUID, and nobody sees which class they hold."""

from typing import Any
from uuid import UUID, uuid4

from loyalty.ids import account_id, new_id


def test_they_are_equal_to_those_of_the_standard_library() -> None:
    tenant, owner = uuid4(), uuid4()
    for made in (new_id(), account_id(tenant, "MEMBER", owner, "points", "main")):
        standard = UUID(bytes=made.bytes)

        assert isinstance(made, UUID)
        assert type(made) is not UUID
        assert made == standard
        assert standard == made
        assert {made: 1}[standard] == 1
        assert str(made) == str(standard)


def test_later_ones_sort_behind_earlier_ones() -> None:
    made = [new_id() for _ in range(100)]

    assert made == sorted(made)
    assert made[0].version == 7


async def test_json_of_the_database_takes_them(make_world: Any) -> None:
    world = await make_world()
    made = new_id()

    async with world.database.tenant(world.tenant_id) as connection:
        for kind in ("jsonb", "json"):
            kept = await connection.fetchval(f"select $1::{kind} ->> 'id'", {"id": made})
            assert kept == str(made)
