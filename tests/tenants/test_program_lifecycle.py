"""A draft is edited, published as an immutable version, archived; nobody's change is lost."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty.ids import new_id
from loyalty_app.logins import Addresses
from loyalty_tenants import audit
from loyalty_tenants.configs import Configs
from loyalty_tenants.principal import Actor
from loyalty_tenants.program_records import (
    ProgramRecord,
    ProgramStatus,
    VersionState,
    program,
    program_by_slug,
    programs,
    versions,
)
from loyalty_tenants.program_secrets import secrets_of
from loyalty_tenants.programs import archive_program, create_program, update_program
from loyalty_tenants.publishing import activate_version, publish_program
from loyalty_tenants.tenants import TenantRecord
from loyalty_tenants.tenants import tenant as read_tenant

DAY = timedelta(days=1)
Make = Callable[[], Awaitable[TenantRecord]]
Record = Callable[[TenantRecord, datetime], Awaitable[None]]


class Desk:
    """Changes one tenant's programs, each call in a transaction of its own."""

    def __init__(self, database: Database, tenant: TenantRecord, configs: Configs, by: Actor):
        self.database, self.tenant, self.configs, self.by = database, tenant, configs, by

    def open(self) -> Any:
        return self.database.tenant(self.tenant.tenant_id)

    async def create(self, now: datetime, **given: Any) -> ProgramRecord:
        asked = {"slug": "punch", "kind": "punch", "name": "P", "config": {"unit": "points"}}
        async with self.open() as connection:
            return await create_program(
                connection, self.configs, self.by, **{**asked, **given}, now=now
            )

    async def update(self, of: ProgramRecord, now: datetime, **given: Any) -> ProgramRecord:
        given = {"expected_version": of.version, **given}
        async with self.open() as connection:
            return await update_program(connection, self.configs, self.by, of.id, **given, now=now)

    async def publish(self, of: ProgramRecord, now: datetime, **given: Any) -> Any:
        async with self.open() as connection:
            latest = await program(connection, of.id)
            given = {"expected_version": latest.version, **given}
            return await publish_program(connection, self.configs, self.by, of.id, **given, now=now)

    async def archive(self, of: ProgramRecord, now: datetime) -> ProgramRecord:
        async with self.open() as connection:
            latest = await program(connection, of.id)
            return await archive_program(
                connection, self.by, of.id, expected_version=latest.version, now=now
            )


@pytest.fixture
def desk(database: Database, tenant: TenantRecord, configs: Configs, boss: Actor) -> Desk:
    return Desk(database, tenant, configs, boss)


async def test_from_draft_to_archive(desk: Desk, now: datetime) -> None:
    draft = await desk.create(now)
    assert (draft.status, draft.version, draft.position) == (ProgramStatus.DRAFT, 1, 1)
    published = await desk.publish(draft, now)
    assert (published.number, published.effective_from) == (1, now)
    assert published.state is VersionState.ACTIVE
    archived = await desk.archive(draft, now + DAY)
    assert (archived.status, archived.archived_at) == (ProgramStatus.ARCHIVED, now + DAY)
    async with desk.open() as connection:
        actions = [entry.action for entry in await audit.entries(connection, first=3)]
        assert [p.slug for p in await programs(connection)] == ["punch"]
    assert actions == ["program.archive", "program.publish", "program.create"]
    for change in (desk.update, desk.publish):
        with pytest.raises(Refused) as refused:
            await change(archived, now)
        assert refused.value.code is Code.PROGRAM_NOT_ACTIVE


async def test_every_change_raises_the_epoch(desk: Desk, now: datetime) -> None:
    async def epoch() -> int:
        async with desk.open() as connection:
            return (await read_tenant(connection)).epoch

    seen = [await epoch()]
    draft = await desk.create(now)
    seen.append(await epoch())
    await desk.update(draft, now, name="Other")
    seen.append(await epoch())
    await desk.publish(draft, now)
    seen.append(await epoch())
    await desk.archive(draft, now)
    seen.append(await epoch())
    assert seen == [seen[0] + step for step in range(5)]


async def test_a_published_version_keeps_what_it_said(desk: Desk, now: datetime) -> None:
    draft = await desk.create(now)
    first = await desk.publish(draft, now)
    async with desk.open() as connection:
        draft = await program(connection, draft.id)
    edited = {"unit": "points", "counted": ["visits"]}
    await desk.update(draft, now, config=edited)
    second = await desk.publish(draft, now + DAY)
    async with desk.open() as connection:
        stored = (await versions(connection, [draft.id]))[draft.id]
    assert [each.config["counted"] for each in stored] == [[], ["visits"]]
    assert [each.id for each in stored] == [first.id, second.id]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with desk.open() as connection:
            await connection.execute("update loyalty.program_version set config = '{}'")


async def test_a_lost_update_is_refused(desk: Desk, now: datetime) -> None:
    draft = await desk.create(now)
    mine = await desk.update(draft, now, name="Mine")
    with pytest.raises(Refused) as refused:
        await desk.update(draft, now, name="Theirs")
    assert refused.value.code is Code.VERSION_CONFLICT
    assert refused.value.details == {"version": mine.version}
    with pytest.raises(Refused):
        await desk.publish(draft, now, expected_version=draft.version)
    async with desk.open() as connection:
        assert (await program(connection, draft.id)).name == "Mine"


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"slug": "punch"}, Code.ALREADY_EXISTS, "slug"),
        ({"slug": "P"}, Code.BAD_USER_INPUT, "slug"),
        ({"slug": "p2", "kind": "punsh"}, Code.BAD_USER_INPUT, "kind"),
        ({"slug": "p2", "name": ""}, Code.BAD_USER_INPUT, "name"),
        ({"slug": "p2", "position": -1}, Code.BAD_USER_INPUT, "position"),
        ({"slug": "p2", "config": {"unit": "pionts"}}, Code.BAD_CONFIG, "config.unit"),
        (
            {
                "slug": "p2",
                "config": {"unit": "points", "rules": [{"id": "a", "earn": {"per_amont": 1}}]},
            },
            Code.BAD_CONFIG,
            "config.rules.0.earn.per_amont",
        ),
    ],
)
async def test_a_bad_program_is_refused_and_not_kept(
    desk: Desk, now: datetime, given: dict[str, Any], code: Code, field: str
) -> None:
    await desk.create(now)
    with pytest.raises(Refused) as refused:
        await desk.create(now, **given)
    assert (refused.value.code, refused.value.field) == (code, field)
    async with desk.open() as connection:
        assert len(await programs(connection)) == 1


async def test_a_version_may_not_judge_what_is_recorded(
    desk: Desk, tenant: TenantRecord, now: datetime, record_fact: Record
) -> None:
    draft = await desk.create(now)
    early = await desk.publish(draft, now, effective_from=now - 30 * DAY)
    assert early.effective_from == now - 30 * DAY
    await record_fact(tenant, now - DAY)
    with pytest.raises(Refused) as refused:
        await desk.publish(draft, now, effective_from=now - 2 * DAY)
    assert (refused.value.code, refused.value.field) == (Code.TOO_LATE, "effectiveFrom")
    assert (await desk.publish(draft, now, effective_from=now - DAY / 2)).number == 2
    assert (await desk.publish(draft, now, effective_from=now + DAY)).number == 3


async def test_a_new_counter_is_filled_before_its_version_judges(
    desk: Desk,
    tenant: TenantRecord,
    now: datetime,
    boss: Actor,
    record_fact: Record,
    dsn: Addresses,
) -> None:
    draft = await desk.create(now, config={"unit": "points", "counted": ["visits"]})
    assert (await desk.publish(draft, now)).state is VersionState.ACTIVE  # there is no history
    await record_fact(tenant, now)
    assert (await desk.publish(draft, now)).state is VersionState.ACTIVE  # it is kept already
    async with desk.open() as connection:
        draft = await program(connection, draft.id)
    await desk.update(draft, now, config={"unit": "points", "counted": ["visits", "spend"]})
    waiting = await desk.publish(draft, now)
    assert waiting.state is VersionState.BACKFILLING
    worker = await Database.open(dsn.worker, size=1)
    async with worker.tenant(tenant.tenant_id) as connection:
        assert await activate_version(connection, waiting.id, by=boss, now=now + DAY)
    await worker.close()
    async with desk.open() as connection:
        assert not await activate_version(connection, waiting.id, by=boss, now=now + 2 * DAY)
        stored = (await versions(connection, [draft.id]))[draft.id][-1]
    assert (stored.state, stored.activated_at) == (VersionState.ACTIVE, now + DAY)


async def test_secrets_are_kept_apart_and_never_shown(
    desk: Desk, now: datetime, admin: Any
) -> None:
    draft = await desk.create(now, config={"unit": "points", "webhook_secret": "hush-1"})
    assert draft.secret_names == ("webhook_secret",)
    kept = await desk.update(draft, now, config={"unit": "points"})
    async with desk.open() as connection:
        assert await secrets_of(connection, draft.id) == {"webhook_secret": "hush-1"}
    await desk.publish(draft, now)
    for table in ("program", "program_version", "audit_entry"):
        assert "hush" not in str(
            await admin.fetch(
                f"select * from loyalty.{table} where tenant_id = $1", desk.tenant.tenant_id
            )
        )
    async with desk.open() as connection:
        kept = await program(connection, draft.id)
    forgotten = await desk.update(kept, now, config={"unit": "points", "webhook_secret": None})
    assert forgotten.secret_names == ()


async def test_the_programs_of_others_are_not_there(
    desk: Desk, make_tenant: Make, configs: Configs, boss: Actor, now: datetime
) -> None:
    draft = await desk.create(now)
    other = Desk(desk.database, await make_tenant(), configs, boss)
    answers = []
    for program_id in (draft.id, new_id()):
        stranger = ProgramRecord(
            **{name: getattr(draft, name) for name in draft.__slots__} | {"id": program_id}
        )
        for change in (other.update, other.publish):
            with pytest.raises(Refused) as refused:
                await change(stranger, now)
            answers.append((refused.value.code, refused.value.message))
    assert set(answers) == {(Code.NOT_FOUND, "there is no such program")}
    async with other.open() as connection:
        assert await program_by_slug(connection, "punch") is None
        assert await programs(connection) == []
    async with desk.open() as connection:
        assert await program(connection, draft.id) == draft
