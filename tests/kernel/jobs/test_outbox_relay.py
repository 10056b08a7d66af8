"""The outbox: at least once to every sink, under leases, fair to small tenants; passed by where
nobody listens. In a database of its own: a relay serves all tenants."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from loyalty.database import Database
from loyalty.jobs.outbox import PER_TENANT, OutboxRow, Relay
from loyalty_app.logins import Addresses


@pytest.fixture(scope="module")
async def dsn(new_dsn: Callable[[], Awaitable[Addresses]]) -> Addresses:
    return await new_dsn()


@pytest.fixture(scope="module")
async def database(dsn: Addresses) -> AsyncIterator[Database]:
    opened = await Database.open(dsn.app)
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
async def _empty(dsn: Addresses) -> None:
    admin = await asyncpg.connect(dsn.admin)
    await admin.execute("delete from loyalty.outbox")
    await admin.close()


class Listener:
    """Remembers what it was sent; fails as often as it is told to."""

    def __init__(self, failures: int = 0, seconds: float = 0) -> None:
        self.sent: list[tuple[UUID, OutboxRow]] = []
        self.failures = failures
        self.seconds = seconds

    async def send(self, tenant_id: UUID, row: OutboxRow) -> None:
        await asyncio.sleep(self.seconds)
        if self.failures:
            self.failures -= 1
            raise ConnectionError("nobody answers")
        self.sent.append((tenant_id, row))


async def rows(world: Any) -> list[Any]:
    return list(await world.rows("select * from loyalty.outbox order by ready_at, id"))


async def drain(relay: Relay) -> None:
    while await relay.slice():
        pass


async def test_where_nobody_listens_rows_do_not_pile_up(world: Any, hands: Any) -> None:
    member = await world.member()
    await world.records(*(world.purchase(member, 100) for _ in range(20)))

    await hands.run(world)

    assert {row["state"] for row in await rows(world)} == {"DONE"}


async def test_a_row_tells_the_fact_as_it_was_recorded(
    world: Any, worker_database: Database
) -> None:
    member = await world.member()
    await world.record(world.purchase(member, "12.50", external_id="told"))
    listener = Listener()

    await drain(Relay(worker_database, [listener]))

    enrolled, bought = [row for _, row in listener.sent]
    assert (enrolled.topic, bought.topic) == ("MemberEnrolled", "PurchaseRecorded")
    assert bought.payload["key"] == {"scope": "purchase:shop", "key": "told"}
    assert bought.payload["payload"]["total"] == 1250
    assert bought.payload["answer"]["earned"][0]["amount"] == 12
    assert bought.member_id == member.id


async def test_two_relays_at_once_give_each_row_once_and_a_tenants_in_order(
    world: Any, worker_database: Database
) -> None:
    member = await world.member()
    await world.records(*(world.purchase(member, 100) for _ in range(50)))
    listener = Listener()

    await drain(Relay(worker_database, [listener]))
    await world.records(*(world.purchase(member, 100) for _ in range(150)))
    await asyncio.gather(*(drain(Relay(worker_database, [listener])) for _ in range(4)))

    sent = [row.id for _, row in listener.sent]
    stored = [row["id"] for row in await rows(world)]
    assert sent[:51] == stored[:51]
    assert max(Counter(sent).values()) == 1
    assert set(sent) == set(stored)
    assert {row["state"] for row in await rows(world)} == {"DONE"}


async def test_rows_that_another_is_just_claiming_are_passed_over(
    world: Any, worker_database: Database, dsn: Addresses
) -> None:
    member = await world.member()
    await world.records(*(world.purchase(member, 100) for _ in range(9)))
    listener = Listener()
    admin = await asyncpg.connect(dsn.admin)
    await admin.execute(
        "begin; select 1 from loyalty.outbox order by ready_at, id limit 4 for update"
    )

    async with asyncio.timeout(5):
        await Relay(worker_database, [listener]).slice()
    await admin.execute("rollback")
    await admin.close()

    assert [row.id for _, row in listener.sent] == [row["id"] for row in (await rows(world))[4:]]


async def test_a_tenant_with_very_many_rows_leaves_room_for_the_others(
    make_world: Any, worker_database: Database
) -> None:
    big, small = await make_world(), await make_world()
    member = await big.member()
    await big.records(*(big.purchase(member, 100) for _ in range(300)))
    await small.member()
    listener = Listener()

    await Relay(worker_database, [listener]).slice()

    by_tenant = Counter(tenant_id for tenant_id, _ in listener.sent)
    assert by_tenant == {big.tenant_id: PER_TENANT, small.tenant_id: 1}


async def test_a_row_that_is_not_taken_is_sent_again_later_and_dies_at_last(
    world: Any, worker_database: Database, dsn: Addresses
) -> None:
    await world.member()
    listener = Listener(failures=99)
    relay = Relay(worker_database, [listener])
    waits = []
    for _ in range(10):
        await relay.slice()
        assert await relay.slice() == 0  # not at once
        waits.append(await _ready_now(dsn))

    (row,) = await rows(world)
    assert (row["state"], row["attempts"]) == ("DEAD", 10)
    assert waits[0] < timedelta(seconds=6)
    assert waits[0] < waits[1] < waits[2] < waits[3]
    assert await relay.slice() == 0


async def test_a_lease_that_ran_out_is_anothers_and_a_late_answer_changes_nothing(
    world: Any, worker_database: Database
) -> None:
    await world.member()
    slow, quick = Listener(seconds=0.5), Listener(failures=1)
    late = Relay(worker_database, [slow], lease=timedelta(seconds=0.1))
    sending = asyncio.create_task(late.slice())
    await asyncio.sleep(0.25)

    await Relay(worker_database, [quick]).slice()  # takes it over and fails
    await sending

    (row,) = await rows(world)
    assert [r.id for _, r in slow.sent] == [row["id"]]
    assert (row["state"], row["attempts"]) == ("READY", 2)  # the late one did not mark it done


async def test_a_row_of_a_worker_that_died_is_sent_again_under_the_same_id(
    world: Any, worker_database: Database
) -> None:
    await world.member()
    dying = Relay(worker_database, [Listener(seconds=60)], lease=timedelta(seconds=0.1))
    task = asyncio.create_task(dying.slice())
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    listener = Listener()

    await Relay(worker_database, [listener]).slice()

    (row,) = await rows(world)
    ((_, sent),) = listener.sent
    assert (sent.id, sent.topic, sent.attempts) == (row["id"], "MemberEnrolled", 2)
    assert row["state"] == "DONE"


async def _ready_now(dsn: Addresses) -> timedelta:
    """How long the one row waits; it is made ready."""
    admin = await asyncpg.connect(dsn.admin)
    wait = await admin.fetchval("select ready_at - clock_timestamp() from loyalty.outbox")
    await admin.execute("update loyalty.outbox set ready_at = clock_timestamp()")
    await admin.close()
    assert isinstance(wait, timedelta)
    return wait
