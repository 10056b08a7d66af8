"""All that is held about a member, table by table, as plain rows.

Who else is in them is no matter of the member's: ids of other members are made-up names in a copy,
the same id by the same name wherever it stands.
"""

import hmac
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from loyalty.connection import Connection
from loyalty.personal import PersonalRows
from loyalty.privacy.registry import Registry

PAGE = 500

# In the order of the primary key, so that pages meet.
_KEY = """
select string_agg(format('%I', a.attname), ', ' order by array_position(i.indkey::int[], a.attnum))
  from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
 where i.indrelid = to_regclass('loyalty.' || $1) and i.indisprimary
"""
_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_OTHERS = "select id::text from loyalty.member where id = any($1::uuid[]) and id <> $2"
_NAMES = """array(select m.external_id from loyalty.member m where m.id = $1::uuid
  union select i.value from loyalty.member_identifier i where i.member_id = $1::uuid)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A row that is about the member. `position`: the place of its table, and its own in it."""

    table: str
    row: dict[str, Any]
    position: tuple[int, int]


async def page(
    connection: Connection,
    registry: Registry,
    member_id: UUID,
    *,
    beyond: tuple[int, int] | None = None,
    count: int = PAGE,
) -> list[Held]:
    """`count` rows beyond a place, of one table after the other."""
    at, skipped = beyond or (0, -1)
    found: list[Held] = []
    while at < len(registry.rows) and len(found) < count:
        table = registry.rows[at]
        rows = await _rows(connection, table, member_id, skipped + 1, count - len(found))
        found += [
            Held(table=table.table, row=row, position=(at, skipped + 1 + n))
            for n, row in enumerate(rows)
        ]
        at, skipped = at + 1, -1
    return await _without_others(connection, member_id, found)


async def everything(
    connection: Connection, registry: Registry, member_id: UUID
) -> AsyncIterator[Held]:
    """All of it. Ask for it in a transaction that sees one state of the database."""
    beyond: tuple[int, int] | None = None
    while rows := await page(connection, registry, member_id, beyond=beyond):
        for one in rows:
            yield one
        beyond = rows[-1].position


async def _rows(
    connection: Connection, of: PersonalRows, member_id: UUID, offset: int, count: int
) -> Sequence[dict[str, Any]]:
    key = await connection.fetchval(_KEY, of.table)
    source, condition = f"loyalty.{of.table}", of.condition.replace("{names}", _NAMES)
    if of.read_by:
        source, condition = of.read_by, "true"
    shown = ", ".join(f"'{name}', {value}" for name, value in of.shown.items())
    shown = shown.replace("$1", "$1::uuid")
    rows = await connection.fetch(
        f"""select to_jsonb(x) - $2::text[] || jsonb_build_object({shown}) as row
              from (select * from {source} where {condition} and $1::uuid is not null) x
             order by {key} offset $3 limit $4""",
        member_id,
        ["tenant_id", *of.hidden],
        offset,
        count,
    )
    return [row["row"] for row in rows]


async def _without_others(
    connection: Connection, member_id: UUID, found: Sequence[Held]
) -> list[Held]:
    """The same with made-up names in the place of other members' ids, wherever they stand."""
    texts = [orjson.dumps(one.row).decode() for one in found]
    ids = {one for text in texts for one in _ID.findall(text)}
    rows = await connection.fetch(_OTHERS, [UUID(one) for one in ids], member_id)
    if not rows:
        return list(found)
    names = {row["id"]: _made_up(member_id, row["id"]) for row in rows}
    return [
        Held(table=one.table, row=_renamed(text, names), position=one.position)
        for one, text in zip(found, texts, strict=True)
    ]


def _made_up(member_id: UUID, other: str) -> str:
    """Nobody who does not have both ids can tell whose it is."""
    return f"member:{hmac.new(member_id.bytes, other.encode(), sha256).hexdigest()[:16]}"


def _renamed(text: str, names: Mapping[str, str]) -> dict[str, Any]:
    row: dict[str, Any] = orjson.loads(_ID.sub(lambda id_: names.get(id_[0], id_[0]), text))
    return row
