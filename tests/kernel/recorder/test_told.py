"""What a listener is told of a commit: worked out before it, said after it, no harm to it."""

from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncpg
import pytest

from loyalty.recorder.recorder import Recorder
from loyalty.settlement.request import Committed, Recorded


class Listening:
    """Notes what it works out and what it says."""

    def __init__(self) -> None:
        self.worked_out: list[Committed] = []
        self.said: list[Committed] = []

    def __call__(self, *committed: Committed) -> Coroutine[Any, Any, None]:
        self.worked_out += committed
        return self._say(committed)

    async def _say(self, committed: tuple[Committed, ...]) -> None:
        self.said += committed


class Unlucky(Recorder):
    """The first time, another process was faster."""

    tries = 0

    async def append(self, connection: Any, batch: Any) -> None:
        await super().append(connection, batch)
        self.tries += 1
        if self.tries == 1:
            raise asyncpg.SerializationError


R = TypeVar("R", bound=Recorder)


def recorder(world: Any, listener: Any, kind: type[R] = Recorder) -> R:  # type: ignore[assignment]
    return kind(
        world.database, world.plugins, world.recorder.setups, world.clock, committed=listener
    )


@pytest.mark.parametrize("size", [1, 3])
async def test_only_what_was_committed_is_told(world: Any, size: int) -> None:
    listening, member = Listening(), await world.member()
    requests = [world.request(world.purchase(member, 100)) for _ in range(size)]

    await recorder(world, listening, Unlucky).record_many(world.tenant_id, requests)

    assert len(listening.worked_out) == 2
    (committed,) = listening.said
    (change,) = committed.changes
    assert change.version == size
    assert committed.tenant_id == world.tenant_id


async def test_a_listener_that_fails_undoes_nothing(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Committed) -> Any:
        raise ValueError("no")

    async def fail_later(*_: Committed) -> None:
        raise ValueError("no")

    member = await world.member()
    for listener in (fail, fail_later):
        requests = [world.request(world.purchase(member, 100)) for _ in range(2)]
        outcomes = await recorder(world, listener).record_many(world.tenant_id, requests)
        assert all(isinstance(outcome, Recorded) for outcome in outcomes)

    assert (await world.balance(member)).available == 4
    assert len(caplog.records) == 2


class Freed(Recorder):
    """Notes what is sent of program accounts, and keeps its batches."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.sent: list[int] = []
        self.batches: list[Any] = []

    async def append(self, connection: Any, batch: Any) -> None:
        self.sent.append(sum(not row[5] for row in batch.book.rows.accounts))
        self.batches.append(batch)
        await super().append(connection, batch)


async def test_what_a_batch_used_is_free_by_its_answer_and_what_it_opened_is_known(
    world: Any,
) -> None:
    noting = recorder(world, None, Freed)
    member = await world.member()
    for _ in range(2):
        requests = [world.request(world.purchase(member, 200)) for _ in range(3)]
        await noting.record_many(world.tenant_id, requests)

    assert [sent > 0 for sent in noting.sent] == [True, False]
    for batch in noting.batches:
        held = (batch.spent, batch.members, batch.refs, batch.known, batch.made)
        assert not any((*held, batch.book.accounts, batch.book.lots, batch.book.position()))
