"""Write-only config keys of a program. Nothing but the program's own plugin reads them."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from loyalty.plugin import Connection


async def keep_secrets(
    connection: Connection, program_id: UUID, secrets: Mapping[str, str | None], *, now: datetime
) -> None:
    """Store the given secrets and forget those given as None; the others stay."""
    forgotten = [name for name, value in secrets.items() if value is None]
    if forgotten:
        await connection.execute(
            "delete from loyalty.program_secret where program_id = $1 and name = any($2)",
            program_id,
            forgotten,
        )
    for name, value in secrets.items():
        if value is not None:
            await connection.execute(
                """insert into loyalty.program_secret
                     (tenant_id, program_id, name, value, updated_at)
                   values (loyalty.tenant(), $1, $2, $3, $4)
                   on conflict (tenant_id, program_id, name)
                   do update set value = excluded.value, updated_at = excluded.updated_at""",
                program_id,
                name,
                value,
                now,
            )


async def secrets_of(connection: Connection, program_id: UUID) -> Mapping[str, str]:
    """A program's secrets, for `Inbound.verify` and the plugin's own jobs."""
    rows = await connection.fetch(
        "select name, value from loyalty.program_secret where program_id = $1", program_id
    )
    return {row["name"]: row["value"] for row in rows}
