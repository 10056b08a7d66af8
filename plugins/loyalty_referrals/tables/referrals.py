"""Friends and who brought them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.plugin import Connection, LoadRequest, WriteRow
from loyalty_referrals.guards import Verdict
from loyalty_referrals.rows import Referral, Spare
from loyalty_referrals.tables.requests import ASKED, Where, columns, where

_COLUMNS = (
    "id", "code", "via", "attributed_at", "open_until", "key", "fact_id", "qualified_at",
    "pays_at", "goods", "least", "decided_by", "decided_at", "decided_why",
)  # fmt: skip
_LOAD = f"""
select w.at, w.program, r.referrer_id, r.verdict, r.reasons, r.spares,
       {", ".join(f"r.{name}" for name in _COLUMNS)}
  from {ASKED} join loyalty.referral r on r.tenant_id = (select loyalty.tenant())
   and r.friend_id = w.member and r.program_id = w.program_id
"""
# `reasons` come as one text each, for an array of arrays must be of one length.
_WRITE = """
insert into loyalty.referral (tenant_id, program_id, friend_id, referrer_id, id, code, via,
  attributed_at, open_until, verdict, reasons, key, fact_id, qualified_at, pays_at, goods, least,
  decided_by, decided_at, decided_why, spares)
select (select loyalty.tenant()), w.program_id, w.friend_id, w.referrer_id, w.id, w.code, w.via,
       w.attributed_at, w.open_until, w.verdict, string_to_array(w.reasons, ' '), w.key, w.fact_id,
       w.qualified_at, w.pays_at, w.goods, w.least, w.decided_by, w.decided_at, w.decided_why,
       w.spares
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[],
    $7::timestamptz[], $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::uuid[],
    $13::timestamptz[], $14::timestamptz[], $15::bigint[], $16::bigint[], $17::text[],
    $18::timestamptz[], $19::text[], $20::jsonb[])
    w (program_id, friend_id, referrer_id, id, code, via, attributed_at, open_until, verdict,
       reasons, key, fact_id, qualified_at, pays_at, goods, least, decided_by, decided_at,
       decided_why, spares)
 order by w.friend_id, w.program_id
on conflict (tenant_id, friend_id, program_id) do update set
  (referrer_id, code, via, attributed_at, open_until, verdict, reasons, key, fact_id, qualified_at,
   pays_at, goods, least, decided_by, decided_at, decided_why, spares) =
  (excluded.referrer_id, excluded.code, excluded.via, excluded.attributed_at, excluded.open_until,
   excluded.verdict, excluded.reasons, excluded.key, excluded.fact_id, excluded.qualified_at,
   excluded.pays_at, excluded.goods, excluded.least, excluded.decided_by, excluded.decided_at,
   excluded.decided_why, excluded.spares)
"""


async def load_referrals(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[Where, Referral]:
    """The referral of each fact's member as a friend."""
    asked = [one for one in requests if one.member_id is not None]
    if not asked:
        return {}
    rows = await connection.fetch(_LOAD, *columns(asked))
    return {where(row): referral(row) for row in rows}


async def write_referrals(connection: Connection, rows: Sequence[WriteRow]) -> None:
    """As they are after the batch: of several rows about one the last stands."""
    last: dict[tuple[UUID, UUID | None], Referral] = {}
    facts: dict[str | None, UUID | None] = {None: None}  # of settlements, by their keys
    for write in rows:
        row: Referral = write.row
        last[write.program_id, write.member_id] = row
        for key, fact in ((row.key, row.fact_id), *((one.key, one.fact_id) for one in row.spares)):
            facts.setdefault(key, fact or write.fact_id)
    found = [(key, row, facts[row.key]) for key, row in last.items()]
    await connection.execute(
        _WRITE,
        [program for (program, _), _, _ in found],
        [friend for (_, friend), _, _ in found],
        [row.referrer for _, row, _ in found],
        *_values([row for _, row, _ in found], "id", "code", "via", "attributed_at", "open_until"),
        [row.verdict.value for _, row, _ in found],
        [" ".join(row.reasons) for _, row, _ in found],
        [row.key for _, row, _ in found],
        [fact for _, _, fact in found],
        *_values(
            [row for _, row, _ in found], "qualified_at", "pays_at", "goods", "least",
            "decided_by", "decided_at", "decided_why",
        ),
        # An object: a list within a list would be an array of two dimensions.
        [
            {"orders": [_plain(spare, facts[spare.key]) for spare in row.spares]}
            for _, row, _ in found
        ],
    )  # fmt: skip


def referral(row: Any) -> Referral:
    return Referral(
        referrer=row["referrer_id"],
        verdict=Verdict(row["verdict"]),
        reasons=tuple(row["reasons"]),
        spares=tuple(_spare(one) for one in row["spares"]["orders"]),
        **{name: row[name] for name in _COLUMNS},
    )


def _values(rows: Sequence[Referral], *names: str) -> list[list[Any]]:
    return [[getattr(row, name) for row in rows] for name in names]


def _plain(spare: Spare, fact_id: UUID | None) -> dict[str, Any]:
    return {
        "key": spare.key, "fact_id": str(fact_id), "at": spare.at.isoformat(),
        "goods": spare.goods, "least": spare.least,
    }  # fmt: skip


def _spare(plain: Mapping[str, Any]) -> Spare:
    return Spare(
        key=plain["key"], fact_id=UUID(plain["fact_id"]), at=datetime.fromisoformat(plain["at"]),
        goods=plain["goods"], least=plain["least"],
    )  # fmt: skip
