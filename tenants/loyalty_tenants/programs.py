"""Programs: plugins that a tenant runs. A draft is edited, published as a version, archived."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.ids import new_id
from loyalty.plugin import Connection
from loyalty_tenants import audit
from loyalty_tenants.configs import Checked, Configs
from loyalty_tenants.epoch import raise_epoch
from loyalty_tenants.principal import Actor
from loyalty_tenants.program_records import ProgramRecord, ProgramStatus, program
from loyalty_tenants.program_secrets import keep_secrets
from loyalty_tenants.slugs import check_name, check_slug
from loyalty_tenants.trait_values import check_values
from loyalty_tenants.unit_keys import check_units

POSITION_MAX = 1_000_000


async def create_program(
    connection: Connection,
    configs: Configs,
    by: Actor,
    *,
    slug: str,
    kind: str,
    name: str,
    config: Any,
    position: int | None = None,
    now: datetime,
) -> ProgramRecord:
    """Create a program as a draft; it does nothing until it is published.

    :raises Refused: ALREADY_EXISTS, BAD_USER_INPUT, BAD_CONFIG with the path of the key at fault
    """
    check_slug(slug)
    name = check_name(name)
    _check_position(position)
    checked = configs.check_draft(kind, config)
    await raise_epoch(connection)
    await check_units(connection, checked)
    await check_values(connection, configs, kind, checked)
    program_id = await _insert(connection, slug, kind, name, position, checked, now)
    await keep_secrets(connection, program_id, checked.secrets, now=now)
    await audit.write(
        connection,
        by,
        action="program.create",
        subject=f"program:{slug}",
        details={"kind": kind, "name": name, "secretsSet": sorted(checked.secrets)},
        now=now,
    )
    return await program(connection, program_id)


async def update_program(
    connection: Connection,
    configs: Configs,
    by: Actor,
    program_id: UUID,
    *,
    expected_version: int,
    name: str | None = None,
    config: Any = None,
    position: int | None = None,
    now: datetime,
) -> ProgramRecord:
    """Change the draft, name or order of a program; what is published stays as it is.

    A secret that `config` leaves out is kept; one given as null is forgotten.

    :raises Refused: NOT_FOUND, VERSION_CONFLICT, PROGRAM_NOT_ACTIVE (archived), BAD_USER_INPUT,
        BAD_CONFIG
    """
    _check_position(position)
    before = await expected(connection, program_id, expected_version)
    given: dict[str, Any] = {} if name is None else {"name": check_name(name)}
    if position is not None:
        given["position"] = position
    secrets: Mapping[str, str | None] = {}
    if config is not None:
        checked = configs.check_draft(before.kind, config)
        await check_units(connection, checked)
        await check_values(connection, configs, before.kind, checked)
        given["draft"], secrets = checked.plain, checked.secrets
        await keep_secrets(connection, program_id, secrets, now=now)
    await store(connection, program_id, given)
    await audit.write(
        connection,
        by,
        action="program.update",
        subject=f"program:{before.slug}",
        details={"changed": sorted(given), "secretsSet": sorted(secrets)},
        now=now,
    )
    return await program(connection, program_id)


async def archive_program(
    connection: Connection,
    by: Actor,
    program_id: UUID,
    *,
    expected_version: int,
    now: datetime,
) -> ProgramRecord:
    """End a program: from `now` on it reacts to nothing. What it granted stays.

    :raises Refused: NOT_FOUND, VERSION_CONFLICT, PROGRAM_NOT_ACTIVE (archived already)
    """
    before = await expected(connection, program_id, expected_version)
    await store(connection, program_id, {"status": ProgramStatus.ARCHIVED, "archived_at": now})
    await audit.write(
        connection,
        by,
        action="program.archive",
        subject=f"program:{before.slug}",
        now=now,
    )
    return await program(connection, program_id)


async def expected(connection: Connection, program_id: UUID, version: int) -> ProgramRecord:
    """Raise the epoch and answer the program as the caller saw it.

    :raises Refused: NOT_FOUND, VERSION_CONFLICT, PROGRAM_NOT_ACTIVE
    """
    await raise_epoch(connection)
    found = await program(connection, program_id)
    if found.version != version:
        raise Refused(
            Code.VERSION_CONFLICT,
            "the program was changed in the meantime: load it anew and try again",
            field="expectedVersion",
            details={"version": found.version},
        )
    if found.status is ProgramStatus.ARCHIVED:
        raise Refused(Code.PROGRAM_NOT_ACTIVE, "the program is archived", field="id")
    return found


async def store(connection: Connection, program_id: UUID, columns: Mapping[str, Any]) -> None:
    """Write columns of a program and raise its version."""
    assignments = "".join(f", {name} = ${i + 2}" for i, name in enumerate(columns))
    await connection.execute(
        f"update loyalty.program set version = version + 1{assignments} where id = $1",
        program_id,
        *columns.values(),
    )


async def _insert(
    connection: Connection,
    slug: str,
    kind: str,
    name: str,
    position: int | None,
    checked: Checked,
    now: datetime,
) -> UUID:
    program_id = new_id()
    if position is None:
        # A statement of its own: a sub-select within an insert is more than Citus takes.
        position = await connection.fetchval(
            "select coalesce(max(position), 0) + 1 from loyalty.program"
        )
    status = await connection.execute(
        """insert into loyalty.program
             (tenant_id, id, slug, kind, name, position, draft, created_at)
           values (loyalty.tenant(), $1, $2, $3, $4, $5, $6, $7)
           on conflict (tenant_id, slug) do nothing""",
        program_id,
        slug,
        kind,
        name,
        position,
        checked.plain,
        now,
    )
    if status != "INSERT 0 1":
        raise Refused(Code.ALREADY_EXISTS, f"there is a program {slug!r} already", field="slug")
    return program_id


def _check_position(position: int | None) -> None:
    if position is not None and not 0 <= position <= POSITION_MAX:
        raise Refused(Code.BAD_USER_INPUT, f"must be from 0 to {POSITION_MAX}", field="position")
