"""Taking away who a member was: names at once, then fact by fact, until nothing is left.

What is posted stays. An erasure that was begun is written down (`loyalty.erasure`) and goes on
where it stopped, in whichever process: it is done when every fact was gone over.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from loyalty.connection import Connection
from loyalty.personal import PersonalRows
from loyalty.privacy.registry import Registry

PAGE = 500  # facts of one transaction


@dataclass(frozen=True, slots=True)
class Begun:
    """`first`: nobody asked before. `names` are those that the member had until now."""

    first: bool
    names: tuple[str, ...]


async def begin(
    connection: Connection, registry: Registry, member_id: UUID, *, now: datetime, by: str
) -> Begun:
    """Names, attributes and identifiers go, and what plugins keep; the member must have left.

    Who was erased before is gone over once more: what came since goes too.
    """
    row = await connection.fetchrow(
        "select * from loyalty.begin_erasure((select loyalty.tenant()), $1, $2, $3)",
        member_id, now, by,
    )  # fmt: skip
    begun = Begun(row["began"], tuple(row["names"]))
    await connection.execute(
        "select loyalty.erase_passing((select loyalty.tenant()), $1, $2)",
        member_id, _plain(registry),
    )  # fmt: skip
    secret = await connection.fetchval("select gen_random_uuid()::text")  # kept nowhere
    for rows in registry.rows:
        if not rows.by_kernel and (rows.deleted or rows.erased):
            await connection.execute(statement(rows), member_id, secret, list(begun.names))
    return begun


async def go_on(
    connection: Connection, registry: Registry, member_id: UUID, *, now: datetime, page: int = PAGE
) -> bool:
    """Go over the next page of the member's facts; whether any may be left."""
    more: bool = await connection.fetchval(
        "select loyalty.erase_facts((select loyalty.tenant()), $1, $2, $3, $4)",
        member_id, _plain(registry), page, now,
    )  # fmt: skip
    return more


def statement(rows: PersonalRows) -> str:
    """What an erasure says to one table: $1 the member, $2 the secret, $3 the names."""
    if rows.deleted:
        text = f"delete from loyalty.{rows.table} where {rows.condition}"
    else:
        columns = ", ".join(f"{name} = {value}" for name, value in rows.erased.items())
        text = f"update loyalty.{rows.table} set {columns} where {rows.condition}"
    text = text.replace("{secret}", "$2").replace("{names}", "$3::text[]")
    # Each is used in any case, or the server could not tell its type.
    return text + " and num_nulls($1::uuid, $2::text, $3::text[]) = 0"


def _plain(registry: Registry) -> dict[str, list[str]]:
    return {kind: list(paths) for kind, paths in registry.paths.items()}
