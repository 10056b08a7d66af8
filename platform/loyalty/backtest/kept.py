"""Back-tests as rows: asked for, walked by one worker at a time, kept for a while.

    QUEUED -> RUNNING -> DONE | FAILED
          \\---------\\-> CANCELLED

A worker holds a lease on what it walks and renews it as it goes; where it dies another one takes
over when the lease is over, three times at most. Whoever lost the lease can write nothing any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from loyalty.connection import Connection
from loyalty.errors import Code, Refused
from loyalty.ids import new_id
from loyalty.jobs import schedule

JOB = "backtest"
KEPT = timedelta(days=30)
LEASE = timedelta(seconds=60)
ATTEMPTS = 3


class State(StrEnum):
    """Where a back-test is."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """A back-test without its report, which may be large."""

    id: UUID
    program: str
    kind: str
    config: Mapping[str, Any]
    since: datetime
    before: datetime
    cost_per_point: str | None
    state: State
    done: int
    total: int
    asked_by: str
    asked_at: datetime
    finished_at: datetime | None
    error: str | None


_COLUMNS = """id, program, kind, config, since, before, cost_per_point, state, done, total,
  asked_by, asked_at, finished_at, error"""
_CLAIM = f"""
update loyalty.backtest set state = 'RUNNING', attempts = attempts + 1, lease_token = $2,
       lease_until = clock_timestamp() + $3::interval
 where id = $1 and attempts < {ATTEMPTS}
   and (state = 'QUEUED' or (state = 'RUNNING' and lease_until < clock_timestamp()))
returning {_COLUMNS}
"""
_GIVE_UP = f"""
update loyalty.backtest set state = 'FAILED', finished_at = $2,
       error = 'the worker that walked it ended several times'
 where id = $1 and state = 'RUNNING' and attempts >= {ATTEMPTS}
   and lease_until < clock_timestamp()
"""
_MINE = "id = $1 and lease_token = $2 and state = 'RUNNING'"


async def ask(connection: Connection, asked: Backtest, now: datetime) -> None:
    """Enter a back-test for a worker to find.

    :raises Refused: LIMIT_EXCEEDED: one of this tenant is under way
    """
    status = await connection.execute(
        """insert into loyalty.backtest (tenant_id, id, program, kind, config, since, before,
             cost_per_point, asked_by, asked_at)
           values (loyalty.tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9)
           on conflict (tenant_id) where state in ('QUEUED', 'RUNNING') do nothing""",
        asked.id, asked.program, asked.kind, dict(asked.config), asked.since, asked.before,
        asked.cost_per_point, asked.asked_by, asked.asked_at,
    )  # fmt: skip
    if status != "INSERT 0 1":
        raise Refused(
            Code.LIMIT_EXCEEDED, "a back-test is under way: wait for its end, or cancel it"
        )
    await schedule.soon(connection, f"{JOB}:{asked.id}", now)


async def cancel(connection: Connection, backtest_id: UUID, now: datetime) -> Backtest:
    """End one that is queued or running; one that is over stays as it is.

    :raises Refused: NOT_FOUND
    """
    await connection.execute(
        "update loyalty.backtest set state = 'CANCELLED', finished_at = $2"
        " where id = $1 and state in ('QUEUED', 'RUNNING')",
        backtest_id, now,
    )  # fmt: skip
    if (found := await by_id(connection, backtest_id)) is None:
        raise Refused(Code.NOT_FOUND, "there is no such back-test", field="id")
    return found


async def by_id(connection: Connection, backtest_id: UUID) -> Backtest | None:
    row = await connection.fetchrow(
        f"select {_COLUMNS} from loyalty.backtest where id = $1", backtest_id
    )
    return None if row is None else _backtest(row)


async def latest(connection: Connection, count: int) -> Sequence[Backtest]:
    """The newest ones first."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from loyalty.backtest order by id desc limit $1", count
    )
    return [_backtest(row) for row in rows]


async def reports(connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, Any]:
    """The reports of those that are done."""
    rows = await connection.fetch(
        "select id, report from loyalty.backtest where id = any($1) and report is not null",
        list(ids),
    )
    return {row["id"]: row["report"] for row in rows}


# --- for the worker that walks it ---------------------------------------------------------------


async def claim(
    connection: Connection, backtest_id: UUID, now: datetime
) -> tuple[Backtest, UUID] | None:
    """Take it with a token of one's own; None where it is taken, over, or given up."""
    await connection.execute(_GIVE_UP, backtest_id, now)
    token = new_id()
    row = await connection.fetchrow(_CLAIM, backtest_id, token, LEASE)
    return None if row is None else (_backtest(row), token)


async def over(connection: Connection, backtest_id: UUID) -> bool:
    """Whether nothing is left to do for it."""
    found = await by_id(connection, backtest_id)
    return found is None or found.state not in (State.QUEUED, State.RUNNING)


async def go_on(
    connection: Connection, backtest_id: UUID, token: UUID, done: int, total: int
) -> bool:
    """Note how far it is and renew the lease; False where it is not ours to walk any more."""
    status = await connection.execute(
        "update loyalty.backtest set done = $3, total = $4,"
        f" lease_until = clock_timestamp() + $5::interval where {_MINE}",
        backtest_id, token, done, total, LEASE,
    )  # fmt: skip
    return bool(status == "UPDATE 1")


async def finish(
    connection: Connection, backtest_id: UUID, token: UUID, now: datetime,
    *, report: Mapping[str, Any] | None = None, error: str | None = None,
) -> None:  # fmt: skip
    """Keep the report, or why there is none; nothing where it is not ours any more."""
    state = State.DONE if report is not None else State.FAILED
    await connection.execute(
        "update loyalty.backtest set state = $3, finished_at = $4, report = $5, error = $6,"
        f" done = case when $5::jsonb is null then done else total end where {_MINE}",
        backtest_id, token, state, now, report, error,
    )  # fmt: skip


async def put_back(connection: Connection, backtest_id: UUID, token: UUID) -> None:
    """Leave it to another worker: this one is told to stop."""
    await connection.execute(
        "update loyalty.backtest set state = 'QUEUED', attempts = attempts - 1,"
        f" lease_token = null, lease_until = null where {_MINE}",
        backtest_id, token,
    )  # fmt: skip


def _backtest(row: Any) -> Backtest:
    return Backtest(**{**row, "state": State(row["state"])})
