"""The outbox: told once and in order with the mark that it was; passed by where nobody listens.
In a database of its own: it is told for all tenants."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextvars import Context
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from loyalty.database import Database
from loyalty.ids import new_id
from loyalty.jobs import outbox as outbox_module
from loyalty.jobs.outbox import PAUSES, TOLD_AT_ONCE, Outbox, OutboxRow
from loyalty_app.logins import Addresses


@pytest.fixture(scope="module")
async def dsn(new_dsn: Callable[[], Awaitable[Addresses]]) -> Addresses:
    return await new_dsn()


@pytest.fixture(scope="module")
async def database(dsn: Addresses) -> AsyncIterator[Database]:
    opened = await Database.open(dsn.app, acquire_timeout=30)
    yield opened
    await opened.close()


@pytest.fixture
async def admin(dsn: Addresses) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(dsn.admin)
    await connection.execute("delete from loyalty.outbox")
    yield connection
    await connection.close()


class Hearing:
    """Notes what it is told in the transaction itself, as far as that commits."""

    def __init__(self) -> None:
        self.heard: list[tuple[UUID, OutboxRow]] = []
        self.wordless: set[str] = set()
        self.broken = False
        self.deaf = False

    async def listens(self, connection: Any) -> bool:
        return not self.deaf

    async def hear(
        self, connection: Any, tenant_id: UUID, rows: Sequence[OutboxRow]
    ) -> Collection[UUID]:
        await asyncio.sleep(0.01)
        if self.broken:
            raise ConnectionError("in the middle")
        failed = {row.id for row in rows if row.topic in self.wordless}
        self.heard += [(tenant_id, row) for row in rows if row.id not in failed]
        return failed


async def rows(world: Any) -> list[Any]:
    return list(await world.rows("select * from loyalty.outbox order by ready_at, id"))


async def test_where_nobody_listens_rows_do_not_pile_up(admin: Any, world: Any, hands: Any) -> None:
    member = await world.member()
    await world.records(*(world.purchase(member, 100) for _ in range(20)))

    await hands.run(world)

    assert {row["state"] for row in await rows(world)} == {"DONE"}


async def test_where_somebody_listens_the_worker_leaves_them_alone(
    admin: Any, world: Any, hands: Any
) -> None:
    await world.member()

    await hands.worker(world, passing_by=False).run_due(world.tenant_id)

    assert {row["state"] for row in await rows(world)} == {"READY"}


async def test_what_happens_while_somebody_begins_to_listen_is_told(
    admin: Any, world: Any, worker_database: Database
) -> None:
    class Beginning(Hearing):
        """Listens from when it was asked for the second time: its row was committed after the first
        look, and before what is told."""

        asked = 0

        async def listens(self, connection: Any) -> bool:
            self.asked += 1
            return self.asked > 1

    await world.member()
    hearing = Beginning()
    outbox = Outbox(worker_database, hearing)

    assert await outbox.slice(world.tenant_id) == 0
    assert {row["state"] for row in await rows(world)} == {"READY"}
    assert await outbox.slice(world.tenant_id) == 1
    assert [row.topic for _, row in hearing.heard] == ["MemberEnrolled"]


async def test_where_nobody_hears_a_tenants_rows_they_are_passed_by(
    admin: Any, make_world: Any, worker_database: Database
) -> None:
    deaf, failing = await make_world(), await make_world()
    for world in (deaf, failing):
        await world.member()
    hearing = Hearing()
    outbox = Outbox(worker_database, hearing)
    hearing.wordless = {"MemberEnrolled"}
    await outbox.slice(failing.tenant_id)  # told later
    hearing.deaf = True

    assert await outbox.round() == 1

    assert hearing.heard == []
    assert [(row["state"], row["attempts"]) for row in await rows(deaf)] == [("DONE", 1)]
    assert [row["state"] for row in await rows(failing)] == ["READY"]


async def test_who_tells_goes_round_again_at_once_for_whole_slices_only(
    admin: Any, world: Any, worker_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a busy till has a transaction for every row, by who is always back before the next."""
    monkeypatch.setattr(outbox_module, "POLL_SECONDS", 3_600.0)
    member = await world.member()
    await world.records(*(world.purchase(member, 100) for _ in range(2 * TOLD_AT_ONCE + 9)))
    stopping = asyncio.Event()

    class Overtaken(Hearing):
        """While it hears what is no whole slice, somebody buys."""

        async def hear(self, connection: Any, tenant_id: UUID, rows: Any) -> Collection[UUID]:
            if len(rows) < TOLD_AT_ONCE and not stopping.is_set():
                buying = world.record(world.purchase(member, 100))
                await asyncio.create_task(buying, context=Context())
                asyncio.get_running_loop().call_later(0.3, stopping.set)
            return await super().hear(connection, tenant_id, rows)

    hearing = Overtaken()
    async with asyncio.timeout(30):
        await Outbox(worker_database, hearing).run(stopping)

    assert len(hearing.heard) == 2 * TOLD_AT_ONCE + 10
    assert [row["state"] for row in await rows(world)][-2:] == ["DONE", "READY"]


async def test_a_row_tells_the_fact_as_it_was_recorded(
    admin: Any, world: Any, worker_database: Database
) -> None:
    member = await world.member("ana")
    await world.record(world.purchase(member, "12.50", external_id="told"))
    hearing = Hearing()

    await Outbox(worker_database, hearing).round()

    enrolled, bought = [row for _, row in hearing.heard]
    assert (enrolled.topic, bought.topic) == ("MemberEnrolled", "PurchaseRecorded")
    assert (bought.content, bought.payload["total"]) == (None, 1250)
    assert bought.answer["earned"][0]["amount"] == 12
    assert (bought.member_id, bought.external_id) == (member.id, "ana")


async def test_several_at_once_tell_each_row_once_and_a_tenants_in_order(
    admin: Any, make_world: Any, worker_database: Database
) -> None:
    worlds = [await make_world() for _ in range(3)]
    for world in worlds:
        member = await world.member()
        await world.records(*(world.purchase(member, 100) for _ in range(2 * TOLD_AT_ONCE)))
    hearing = Hearing()

    async def tell() -> None:
        outbox = Outbox(worker_database, hearing)
        while await outbox.round():
            pass

    await asyncio.gather(*(tell() for _ in range(4)))
    await tell()

    for world in worlds:
        told = [row.id for tenant_id, row in hearing.heard if tenant_id == world.tenant_id]
        stored = await rows(world)
        assert told == [row["id"] for row in stored]
        assert {row["state"] for row in stored} == {"DONE"}


async def test_what_is_committed_late_is_told_all_the_same(
    admin: Any, world: Any, worker_database: Database
) -> None:
    """A row made before others may be there after them: no highest id says what was told."""
    late, hearing = new_id(), Hearing()
    outbox = Outbox(worker_database, hearing)
    await world.member()
    [early] = await rows(world)

    async with admin.transaction():
        await admin.execute(
            """insert into loyalty.outbox
                 (tenant_id, id, topic, fact_id, member_id, ready_at, recorded_at)
               select tenant_id, $1, topic, fact_id, member_id, ready_at, recorded_at
                 from loyalty.outbox where id = $2""",
            late,
            early["id"],
        )
        await outbox.round()
    await outbox.round()

    assert [row.id for _, row in hearing.heard] == [early["id"], late]


async def test_what_was_heard_and_not_committed_is_told_again(
    admin: Any, world: Any, worker_database: Database
) -> None:
    await world.member()
    hearing = Hearing()
    hearing.broken = True
    outbox = Outbox(worker_database, hearing)

    assert await outbox.round() == 0
    assert [row["state"] for row in await rows(world)] == ["READY"]
    hearing.broken = False
    assert await outbox.round() == 1


async def test_one_tenants_trouble_is_its_own(
    admin: Any, make_world: Any, worker_database: Database
) -> None:
    ill, well = await make_world(), await make_world()
    await ill.member()
    await well.member()

    class Picky(Hearing):
        async def hear(self, connection: Any, tenant_id: UUID, rows: Any) -> Collection[UUID]:
            self.broken = tenant_id == ill.tenant_id
            return await super().hear(connection, tenant_id, rows)

    hearing = Picky()
    await Outbox(worker_database, hearing).round()

    assert {tenant_id for tenant_id, _ in hearing.heard} == {well.tenant_id}


async def test_what_cannot_be_told_is_told_later_and_is_dead_at_last(
    admin: Any, world: Any, worker_database: Database
) -> None:
    member = await world.member()
    await world.record(world.purchase(member, 100))
    hearing = Hearing()
    hearing.wordless = {"MemberEnrolled"}
    outbox = Outbox(worker_database, hearing)

    waits = []
    for _ in range(len(PAUSES) + 1):
        await outbox.round()
        assert await outbox.round() == 0  # not at once
        waits.append(
            await admin.fetchval(
                "select ready_at - clock_timestamp() from loyalty.outbox where topic = $1",
                "MemberEnrolled",
            )
        )
        await admin.execute("update loyalty.outbox set ready_at = clock_timestamp()")

    enrolled = next(row for row in await rows(world) if row["topic"] == "MemberEnrolled")
    assert (enrolled["state"], enrolled["attempts"]) == ("DEAD", len(PAUSES) + 1)
    assert waits[0] < waits[1] < waits[2] < waits[3]
    assert [row.topic for _, row in hearing.heard] == ["PurchaseRecorded"]


async def test_a_suspended_tenant_waits(admin: Any, world: Any, worker_database: Database) -> None:
    await world.member()
    await admin.execute(
        "update loyalty.tenant set status = 'SUSPENDED' where tenant_id = $1", world.tenant_id
    )
    outbox = Outbox(worker_database, Hearing())

    assert await outbox.round() == 0
    await admin.execute("update loyalty.tenant set status = 'ACTIVE'")
    assert await outbox.round() == 1
