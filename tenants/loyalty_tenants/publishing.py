"""Publishing: a config becomes an immutable version with the instant from which it judges."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.counters import stored_as
from loyalty.errors import Code, Refused
from loyalty.ids import new_id
from loyalty.jobs import backfill, plugin_jobs, schedule
from loyalty.plugin import Connection, Counter, Plugin
from loyalty.setup import not_over
from loyalty_tenants import audit
from loyalty_tenants.configs import Configs
from loyalty_tenants.epoch import raise_epoch
from loyalty_tenants.principal import Actor
from loyalty_tenants.program_records import (
    ProgramRecord,
    ProgramStatus,
    VersionRecord,
    VersionState,
    versions,
)
from loyalty_tenants.programs import expected, store
from loyalty_tenants.trait_values import check_others, check_values
from loyalty_tenants.unit_keys import check_units

DRAW_SECRET_BYTES = 32

# Whether the tenant has a fact that happened at or after an instant (None: any fact at all).
FactsSince = Callable[[Connection, datetime | None], Awaitable[bool]]


async def facts_since(connection: Connection, since: datetime | None) -> bool:
    found = await connection.fetchval(
        """select exists (select 1 from loyalty.fact
                           where $1::timestamptz is null or occurred_at >= $1)""",
        since,
    )
    return bool(found)


async def publish_program(
    connection: Connection,
    configs: Configs,
    by: Actor,
    program_id: UUID,
    *,
    expected_version: int,
    effective_from: datetime | None = None,
    now: datetime,
    recorded: FactsSince = facts_since,
) -> VersionRecord:
    """Publish the draft, in force from `effective_from` (by default: from now) on.

    An instant in the past is allowed while nothing is recorded since: what was judged stays
    judged. Counters that the version before did not keep are filled from history first; until
    `activate_version` the older version goes on.

    :raises Refused: NOT_FOUND, VERSION_CONFLICT, PROGRAM_NOT_ACTIVE, BAD_CONFIG, TOO_LATE
    """
    before = await expected(connection, program_id, expected_version)
    return await _publish(
        connection, configs, by, before, before.config, effective_from, now, recorded
    )


async def roll_back_program(
    connection: Connection,
    configs: Configs,
    by: Actor,
    program_id: UUID,
    *,
    expected_version: int,
    number: int,
    effective_from: datetime | None = None,
    now: datetime,
    recorded: FactsSince = facts_since,
) -> VersionRecord:
    """Publish the config of an earlier version anew, as a version of its own; as `publish_program`.

    What was published stays in the history, and the draft as it is. A version that is to begin
    later still does.

    :raises Refused: NOT_FOUND, also where there is no such version
    """
    before = await expected(connection, program_id, expected_version)
    known = (await versions(connection, [program_id]))[program_id]
    earlier = next((version for version in known if version.number == number), None)
    if earlier is None:
        raise Refused(Code.NOT_FOUND, f"there is no version {number}", field="number")
    return await _publish(
        connection, configs, by, before, earlier.config, effective_from, now, recorded,
        rolled_back_to=number,
    )  # fmt: skip


async def _publish(
    connection: Connection,
    configs: Configs,
    by: Actor,
    before: ProgramRecord,
    config: Any,
    effective_from: datetime | None,
    now: datetime,
    recorded: FactsSince,
    rolled_back_to: int | None = None,
) -> VersionRecord:
    program_id = before.id
    # What was in force before may come back as it was.
    check = configs.check_draft if rolled_back_to is None else configs.check
    checked = check(before.kind, config)
    await check_units(connection, checked)
    await check_values(connection, configs, before.kind, checked)
    await check_others(connection, configs, program_id, before.kind, checked)
    begins = effective_from or now
    if begins < now and await recorded(connection, begins):
        told = "facts are recorded since then and were judged: choose now or a later instant"
        raise Refused(Code.TOO_LATE, told, field="effectiveFrom")
    known = (await versions(connection, [program_id]))[program_id]
    configs.check_kept(before.kind, checked, [one.config for one in _kept(known, now)])
    fresh, waits = _new_counters(configs, before.kind, checked.parsed, known, now)
    backfills = (bool(fresh) or waits) and await recorded(connection, None)
    version = VersionRecord(
        id=new_id(),
        program_id=program_id,
        number=known[-1].number + 1 if known else 1,
        config=configs.published(before.kind, checked),
        effective_from=begins,
        published_at=now,
        published_by=by.subject,
        state=VersionState.BACKFILLING if backfills else VersionState.ACTIVE,
        activated_at=None,
    )
    await _insert(connection, version)
    if backfills:
        await backfill.fill(connection, version.id, fresh, now)
    for name in plugin_jobs.names_of(configs.plugin(before.kind), [checked.parsed]):
        await schedule.begin(connection, name, now)
    await store(connection, program_id, {"status": ProgramStatus.ACTIVE})
    await _note(connection, by, before, version, fresh, now, rolled_back_to)
    return version


async def activate_version(
    connection: Connection, version_id: UUID, *, by: Actor, now: datetime
) -> bool:
    """The backfill is done: the version judges what happens from `now` (or later) on.

    Answers False, and changes nothing, where it is active already or not there.
    """
    status = await connection.execute(
        """update loyalty.program_version set state = 'ACTIVE', activated_at = $2
            where id = $1 and state = 'BACKFILLING'""",
        version_id,
        now,
    )
    if status != "UPDATE 1":
        return False
    await raise_epoch(connection)
    await audit.write(
        connection,
        by,
        action="program.activate",
        subject=f"program_version:{version_id}",
        now=now,
    )
    return True


def _new_counters(
    configs: Configs, kind: str, config: Any, known: Sequence[VersionRecord], now: datetime
) -> tuple[list[str], bool]:
    """Names of counters that nobody keeps yet, and whether others of its own are still filling."""
    plugin = configs.plugin(kind)
    wanted = _counters(plugin, config)
    kept, filling = set[str](), set[str]()
    for version in _kept(known, now):
        names = set(_counters(plugin, configs.parse(kind, version.config)))
        kept |= names
        if version.state is VersionState.BACKFILLING:
            filling |= names
    fresh = [counter.name for name, counter in wanted.items() if name not in kept]
    return fresh, bool(filling & wanted.keys())


def _kept(known: Sequence[VersionRecord], now: datetime) -> Sequence[VersionRecord]:
    """The versions whose counters are complete or on the way."""
    return not_over(
        sorted(known, key=lambda version: (version.effective_from, version.number)),
        lambda version: (
            version.state is VersionState.ACTIVE
            and max(version.effective_from, version.activated_at or version.effective_from) <= now
        ),
    )


def _counters(plugin: Plugin, config: Any) -> dict[str, Counter]:
    """The counters of a config by the name they are kept under."""
    counters = () if plugin.counters is None else plugin.counters(config)
    return {stored_as("", counter): counter for counter in counters}


async def _insert(connection: Connection, version: VersionRecord) -> None:
    await connection.execute(
        """insert into loyalty.program_version
             (tenant_id, id, program_id, number, config, effective_from, published_at,
              published_by, draw_secret, state)
           values (loyalty.tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        version.id,
        version.program_id,
        version.number,
        version.config,
        version.effective_from,
        version.published_at,
        version.published_by,
        secrets.token_bytes(DRAW_SECRET_BYTES),
        version.state.value,
    )


async def _note(
    connection: Connection,
    by: Actor,
    program: ProgramRecord,
    version: VersionRecord,
    counters: list[str],
    now: datetime,
    rolled_back_to: int | None,
) -> None:
    back = {} if rolled_back_to is None else {"rolledBackTo": rolled_back_to}
    await audit.write(
        connection,
        by,
        action="program.publish" if rolled_back_to is None else "program.roll_back",
        subject=f"program:{program.slug}",
        details={
            "number": version.number,
            "effectiveFrom": version.effective_from.isoformat(),
            "state": version.state,
            "newCounters": counters,
            **back,
        },
        now=now,
    )
