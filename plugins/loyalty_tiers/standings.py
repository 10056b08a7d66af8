"""Standings as they are kept: a table of the plugin's own, one row a member and ladder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from loyalty.plugin import Connection, Loader, LoadRequest, Writer, WriteRow
from loyalty_tiers.standing import Standing

NEED = "standing"

_LOAD = """
select w.at, w.program, s.tier, s.since, s.until, s.reason, s.due_at, s.fingerprint, s.detail
  from unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[]) w (at, program, program_id, member_id)
  cross join lateral (
    select s.* from loyalty.tiers_standing s
     where s.tenant_id = (select loyalty.tenant()) and s.program_id = w.program_id
       and s.member_id = w.member_id limit 1) s
"""
_OF = """
select s.member_id, s.program_id, s.tier, s.since, s.until, s.reason, s.due_at, s.fingerprint,
       s.detail
  from unnest($1::uuid[], $2::uuid[]) w (member_id, program_id)
  cross join lateral (
    select s.* from loyalty.tiers_standing s
     where s.tenant_id = (select loyalty.tenant()) and s.program_id = w.program_id
       and s.member_id = w.member_id limit 1) s
"""
_WRITE = """
insert into loyalty.tiers_standing
  (tenant_id, program_id, member_id, tier, since, until, reason, due_at, fingerprint, detail)
select (select loyalty.tenant()), * from unnest($1::uuid[], $2::uuid[], $3::text[],
  $4::timestamptz[], $5::timestamptz[], $6::text[], $7::timestamptz[], $8::text[], $9::jsonb[])
on conflict (tenant_id, program_id, member_id) do update set tier = excluded.tier,
  since = excluded.since, until = excluded.until, reason = excluded.reason,
  due_at = excluded.due_at, fingerprint = excluded.fingerprint, detail = excluded.detail
"""


@dataclass(frozen=True, slots=True)
class StandingRow:
    """A member's standing from now on."""

    standing: Standing


async def load_standings(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[tuple[int, str], Standing]:
    """The standing of each member, by program."""
    asked = [one for one in requests if one.member_id is not None]
    rows = await connection.fetch(
        _LOAD,
        [one.at for one in asked],
        [one.program for one in asked],
        [one.program_id for one in asked],
        [one.member_id for one in asked],
    )
    return {(row["at"], row["program"]): Standing.load(row) for row in rows}


async def standings_of(
    connection: Connection, keys: Sequence[tuple[UUID, UUID]]
) -> Mapping[tuple[UUID, UUID], Standing]:
    """By member and program."""
    rows = await connection.fetch(
        _OF, [member_id for member_id, _ in keys], [program_id for _, program_id in keys]
    )
    return {(row["member_id"], row["program_id"]): Standing.load(row) for row in rows}


async def write_standings(connection: Connection, rows: Sequence[WriteRow]) -> None:
    """Standings as they are after the batch: of several about one member the last stands."""
    last: dict[tuple[UUID, Any], Standing] = {
        (row.program_id, row.member_id): row.row.standing for row in rows
    }
    standings = list(last.values())
    await connection.execute(
        _WRITE,
        [program_id for program_id, _ in last],
        [member_id for _, member_id in last],
        [one.tier for one in standings],
        [one.since for one in standings],
        [one.until for one in standings],
        [one.reason.value for one in standings],
        [one.due_at for one in standings],
        [one.fingerprint for one in standings],
        [one.plain() for one in standings],
    )


LOADERS = (Loader(name=NEED, load=load_standings),)
WRITERS = (Writer(row=StandingRow, write=write_standings),)
