"""Who was erased is in the history as before: a walk comes to what was recorded, page by page."""

from typing import Any

from loyalty.facts import MemberClosed, MemberErased
from loyalty.privacy import erasing
from loyalty.privacy.registry import Registry

from .test_as_recorded import CARD, Story, as_recorded, world

__all__ = ["world"]
PAGE = 5  # facts


async def erase(world: Any, member: Any) -> int:
    """Erase one who left; how many pages that took."""
    registry, now, pages = Registry(world.plugins), world.clock.now(), 0
    async with world.database.tenant(world.tenant_id) as connection:
        await erasing.begin(connection, registry, member.id, now=now, by="test")
    while True:
        async with world.database.tenant(world.tenant_id) as connection:
            if not await erasing.go_on(connection, registry, member.id, now=now, page=PAGE):
                return pages
        pages += 1


async def test_a_history_of_erased_members_is_walked_as_before(world: Any, bench: Any) -> None:
    await world.run_program("card", CARD, kind="stamps")
    story = Story(world, bench, 1, friends=False)
    await story.happens(40)
    for member in story.members:
        await world.record(MemberClosed(member=member, occurred_at=world.clock.now()))
        await world.record(MemberErased(member=member, occurred_at=world.clock.now()))
    facts = {row["id"] for row in await world.rows("select id from loyalty.fact")}

    pages = [await erase(world, member) for member in story.members]

    assert max(pages) > 1
    names = await world.rows("select external_id from loyalty.member where status = 'CLOSED'")
    assert all(row["external_id"].startswith("erased:") for row in names)
    open_ = "select 1 from loyalty.erasure where done_at is null or names is not null"
    assert await world.rows(open_) == []
    assert {row["id"] for row in await world.rows("select id from loyalty.fact")} == facts
    assert await as_recorded(world, bench) == {"base", "card", "first-card", "extra"}
