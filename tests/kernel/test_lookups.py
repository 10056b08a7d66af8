"""Look-ups of many callers share a transaction, and nobody gets another's answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest

from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty.facts import MemberEnrolled, MemberRef
from loyalty.lookups import AT_ONCE, Lookups
from loyalty.settlement.request import Request


class Counting:
    """The database, and whose transactions were begun; it may be slow, or have none."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.begun: list[UUID] = []
        self.refuses = False

    @asynccontextmanager
    async def tenant(self, tenant_id: UUID, *, read_only: bool = False) -> AsyncIterator[Any]:
        self.begun.append(tenant_id)
        if self.refuses:
            raise Refused(Code.OVERLOADED, "no connection")
        async with self._database.tenant(tenant_id, read_only=read_only) as connection:
            yield connection


async def enrolled(world: Any, *names: str) -> dict[str, UUID]:
    facts = [
        MemberEnrolled(occurred_at=world.clock.now(), external_id=n, identifiers=(f"card-{n}",))
        for n in names
    ]
    found = await world.recorder.record_many(
        world.tenant_id, [Request(fact=fact, actor="test") for fact in facts]
    )
    return {name: outcome.member_id for name, outcome in zip(names, found, strict=True)}


def named(name: str) -> MemberRef:
    return MemberRef(external_id=name)


async def test_those_who_ask_at_once_share_one_transaction_and_get_their_own(world: Any) -> None:
    ids = await enrolled(world, "ada", "bob", "eve")
    database = Counting(world.database)
    lookups = Lookups(database)  # type: ignore[arg-type]
    asked = [
        [named("ada"), named("nobody")],
        [MemberRef(id=ids["bob"]), named("ada")],
        [MemberRef(identifier="card-eve"), MemberRef(identifier="card-none")],
        [MemberRef(id=uuid4())],
    ]
    found = await asyncio.gather(*(lookups.members(world.tenant_id, refs) for refs in asked))
    names = [[one and one.external_id for one in each] for each in found]
    assert names == [["ada", None], ["bob", "ada"], ["eve", None], [None]]
    assert database.begun == [world.tenant_id]


async def test_a_tenant_finds_no_member_of_another(
    world: Any, make_world: Callable[..., Awaitable[Any]]
) -> None:
    other = await make_world()
    await enrolled(world, "ada")
    [theirs] = (await enrolled(other, "bob")).values()
    lookups = Lookups(world.database)
    found = await asyncio.gather(
        lookups.members(world.tenant_id, [named("ada"), named("bob"), MemberRef(id=theirs)]),
        lookups.members(other.tenant_id, [named("ada"), named("bob")]),
    )
    names = [[one and one.external_id for one in each] for each in found]
    assert names == [["ada", None, None], [None, "bob"]]


async def test_who_asks_later_sees_what_was_committed_before(world: Any) -> None:
    lookups = Lookups(world.database)
    under_way = asyncio.ensure_future(lookups.members(world.tenant_id, [named("ada")]))
    await asyncio.sleep(0)
    await enrolled(world, "ada")
    [found] = await lookups.members(world.tenant_id, [named("ada")])
    assert found is not None
    await under_way


async def test_very_many_take_several_transactions(world: Any) -> None:
    await enrolled(world, "ada")
    database = Counting(world.database)
    lookups = Lookups(database)  # type: ignore[arg-type]
    refs = [named("ada"), *(named(f"nobody-{n}") for n in range(AT_ONCE - 1))]
    found = await asyncio.gather(*(lookups.members(world.tenant_id, refs) for _ in range(3)))
    assert [sum(one is not None for one in each) for each in found] == [1, 1, 1]
    assert len(database.begun) == 3


async def test_who_goes_away_takes_nobodys_answer_along(world: Any) -> None:
    await enrolled(world, "ada")
    lookups = Lookups(world.database)
    leaving, staying = (
        asyncio.ensure_future(lookups.members(world.tenant_id, [named("ada")])) for _ in range(2)
    )
    await asyncio.sleep(0)
    leaving.cancel()
    [found] = await staying
    assert found is not None
    assert leaving.cancelled() or isinstance(leaving.exception(), asyncio.CancelledError)


async def test_all_hear_of_trouble_and_the_next_are_answered(world: Any) -> None:
    await enrolled(world, "ada")
    database = Counting(world.database)
    lookups = Lookups(database)  # type: ignore[arg-type]
    database.refuses = True
    found = await asyncio.gather(
        *(lookups.members(world.tenant_id, [named("ada")]) for _ in range(3)),
        return_exceptions=True,
    )
    assert [isinstance(each, Refused) and each.code for each in found] == [Code.OVERLOADED] * 3
    database.refuses = False
    assert len(await lookups.members(world.tenant_id, [named("ada")])) == 1


async def test_closed_it_lets_nobody_wait(world: Any) -> None:
    lookups = Lookups(world.database)
    waiting = asyncio.ensure_future(lookups.members(world.tenant_id, [named("ada")]))
    await asyncio.sleep(0)
    await lookups.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
