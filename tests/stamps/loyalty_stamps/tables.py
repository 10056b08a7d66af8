"""Loads and writes the plugin's own tables: one statement a batch each."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from loyalty.facts import FactKey, FactReversed, PurchaseReversed, purchase_key
from loyalty.plugin import Connection, LoadRequest, WriteRow
from loyalty_stamps.rows import CardRow

Where = tuple[int, str]


async def load_cards(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[Where, CardRow]:
    """The card of each member, by program."""
    rows = await connection.fetch(
        """select w.at, w.program, c.stamps, c.ends_at
             from unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[])
                    w(at, program, program_id, member_id)
             join loyalty.stamps_card c on c.tenant_id = (select loyalty.tenant())
              and c.program_id = w.program_id and c.member_id = w.member_id""",
        [request.at for request in requests],
        [request.program for request in requests],
        [request.program_id for request in requests],
        [request.member_id for request in requests],
    )
    return {(row["at"], row["program"]): CardRow(row["stamps"], row["ends_at"]) for row in rows}


async def load_given(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[Where, int]:
    """How many stamps of what comes back are not taken off yet."""
    named = [(request, key) for request in requests if (key := _comes_back(request)) is not None]
    rows = await connection.fetch(
        """select w.at, w.program, sum(g.stamps)::int as stamps
             from unnest($1::int[], $2::text[], $3::uuid[], $4::text[], $5::text[])
                    w(at, program, program_id, scope, key)
             join loyalty.stamps_given g on g.tenant_id = (select loyalty.tenant())
              and g.program_id = w.program_id and g.scope = w.scope and g.key = w.key
            group by w.at, w.program""",
        [request.at for request, _ in named],
        [request.program for request, _ in named],
        [request.program_id for request, _ in named],
        [key.scope for _, key in named],
        [key.key for _, key in named],
    )
    return {(row["at"], row["program"]): row["stamps"] for row in rows}


async def load_buddies(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[Where, UUID]:
    """The buddy of each member."""
    rows = await connection.fetch(
        """select w.at, w.program, b.buddy_id
             from unnest($1::int[], $2::text[], $3::uuid[]) w(at, program, member_id)
             join loyalty.stamps_buddy b on b.tenant_id = (select loyalty.tenant())
              and b.member_id = w.member_id""",
        [request.at for request in requests],
        [request.program for request in requests],
        [request.member_id for request in requests],
    )
    return {(row["at"], row["program"]): row["buddy_id"] for row in rows}


async def cards_of(connection: Connection, members: Sequence[UUID]) -> Mapping[UUID, Sequence[Any]]:
    """All cards of each of these members."""
    rows = await connection.fetch(
        """select member_id, program_id, stamps, ends_at from loyalty.stamps_card
            where tenant_id = (select loyalty.tenant()) and member_id = any($1)""",
        list(members),
    )
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row["member_id"], []).append(row)
    return found


async def write_cards(connection: Connection, rows: Sequence[WriteRow]) -> None:
    """Cards as they are after the batch: of several rows about one card the last stands."""
    last = {(row.program_id, row.member_id): row.row for row in rows}
    await connection.execute(
        """insert into loyalty.stamps_card (tenant_id, program_id, member_id, stamps, ends_at)
           select (select loyalty.tenant()), *
             from unnest($1::uuid[], $2::uuid[], $3::int[], $4::timestamptz[])
           on conflict (tenant_id, program_id, member_id)
           do update set stamps = excluded.stamps, ends_at = excluded.ends_at""",
        [program_id for program_id, _ in last],
        [member_id for _, member_id in last],
        [card.stamps for card in last.values()],
        [card.ends_at for card in last.values()],
    )


async def write_given(connection: Connection, rows: Sequence[WriteRow]) -> None:
    await connection.execute(
        """insert into loyalty.stamps_given
             (tenant_id, program_id, fact_id, member_id, scope, key, stamps)
           select (select loyalty.tenant()), *
             from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::int[])""",
        [row.program_id for row in rows],
        [row.fact_id for row in rows],
        [row.member_id for row in rows],
        *_columns(rows, "scope", "key", "stamps"),
    )


async def write_buddies(connection: Connection, rows: Sequence[WriteRow]) -> None:
    """Whoever the tenant does not know is nobody's buddy; two programs may say the same."""
    named = {row.member_id: row.row.external_id for row in rows}
    await connection.execute(
        """insert into loyalty.stamps_buddy (tenant_id, member_id, buddy_id)
           select (select loyalty.tenant()), w.member_id, m.id
             from unnest($1::uuid[], $2::text[]) w(member_id, external_id)
             join loyalty.member m on m.tenant_id = (select loyalty.tenant())
              and m.external_id = w.external_id and m.id <> w.member_id
           on conflict (tenant_id, member_id) do update set buddy_id = excluded.buddy_id""",
        list(named),
        list(named.values()),
    )


def _comes_back(request: LoadRequest) -> FactKey | None:
    match request.fact:
        case PurchaseReversed() as fact:
            return purchase_key(fact.source, fact.purchase_external_id, fact.purchase_revision)
        case FactReversed() as fact:
            return FactKey(fact.reversed_scope, fact.reversed_key)
        case _:
            return None


def _columns(rows: Sequence[WriteRow], *names: str) -> list[list[Any]]:
    return [[getattr(row.row, name) for row in rows] for name in names]
