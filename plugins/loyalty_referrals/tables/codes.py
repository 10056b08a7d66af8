"""Codes: whose they are, and making new ones."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from loyalty.plugin import Connection, LoadRequest, WriteRow
from loyalty_referrals.code import BITS, code_of, read
from loyalty_referrals.commands import ClaimCode, ShareCode
from loyalty_referrals.rows import Looked, Wish
from loyalty_referrals.rules.attributing import FACTS, callers
from loyalty_referrals.tables.failures import failures_of
from loyalty_referrals.tables.requests import Where, columns, given, where

# Whoever left hands on nothing any more. A code that is none takes the same two look-ups.
_WHOSE = """
select w.at, w.program, m.id, coalesce(c.program_id <> w.program_id, false) as elsewhere
  from unnest($1::int[], $2::text[], $3::uuid[], $4::text[]) w (at, program, program_id, code)
  left join loyalty.referral_code c on c.tenant_id = (select loyalty.tenant()) and c.code = w.code
  left join loyalty.member m on m.tenant_id = (select loyalty.tenant())
   and m.id = case when c.program_id = w.program_id then c.member_id else $5 end
   and m.status <> 'CLOSED'
"""
_WISHED = """
select w.at, w.program, c.member_id as holder, coalesce(c.program_id = w.program_id, false) as here,
       (select count(*) from loyalty.referral_code v where v.tenant_id = (select loyalty.tenant())
           and v.member_id = w.member and v.program_id = w.program_id and v.vanity) as had
  from unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[], $5::text[])
         w (at, program, program_id, member, code)
  left join loyalty.referral_code c on c.tenant_id = (select loyalty.tenant()) and c.code = w.code
"""
_BY_CHANCE = """
insert into loyalty.referral_code (tenant_id, program_id, member_id, code, vanity, made_at)
select (select loyalty.tenant()), w.program_id, w.member_id, w.code, false, w.made_at
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[])
         w (program_id, member_id, code, made_at)
 order by w.code
on conflict do nothing
"""
_WISHED_FOR = """
insert into loyalty.referral_code
  (tenant_id, program_id, member_id, code, vanity, made_at, wished)
select (select loyalty.tenant()), w.program_id, w.member_id, w.code, true, w.made_at, w.wished
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::text[])
         w (program_id, member_id, code, made_at, wished)
 order by w.code
"""
_SHARED = """
insert into loyalty.referral_share (tenant_id, program_id, member_id, first_at, times)
select (select loyalty.tenant()), w.program_id, w.member_id, min(w.first_at), count(*)
  from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) w (program_id, member_id, first_at)
 group by w.program_id, w.member_id order by w.program_id, w.member_id
on conflict (tenant_id, program_id, member_id)
   do update set times = referral_share.times + excluded.times
"""
_CODES = """
select c.member_id, c.program_id, c.code, c.wished, c.vanity, c.made_at, s.first_at, s.times
  from unnest($1::uuid[]) m (id)
  join loyalty.referral_code c on c.tenant_id = (select loyalty.tenant()) and c.member_id = m.id
  left join loyalty.referral_share s on s.tenant_id = (select loyalty.tenant())
   and s.member_id = c.member_id and s.program_id = c.program_id
 order by c.vanity desc, c.made_at desc, c.code
"""


async def load_codes(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[Where, Looked]:
    """The code that each fact names, and whose it is; what it takes is the same for every code."""
    named = [(one, code) for one in requests if (code := _named(one)) is not None]
    if not named:
        return {}
    nobody = UUID(int=0)
    rows = await connection.fetch(
        _WHOSE,
        [one.at for one, _ in named],
        [one.program for one, _ in named],
        [one.program_id for one, _ in named],
        [code for _, code in named],
        nobody,
    )
    whose = {where(row): row for row in rows}
    by = {caller for one, _ in named for caller in _callers(one)}
    failed = dict(await failures_of(connection, by, named[0][0].now))
    found = {}
    for one, code in named:
        row, mine = whose[one.at, one.program], _callers(one)
        before = {caller: failed.get(caller, 0) for caller in mine}
        spent = mine == (FACTS,) and before[FACTS] >= one.config.guessing.per_tenant
        looked = Looked(
            referrer=None if spent else row["id"], code=code, now=one.now,
            elsewhere=mine == (FACTS,) and row["elsewhere"], failed=before,
        )  # fmt: skip
        found[one.at, one.program] = looked
        if looked.is_none:
            failed |= {caller: times + 1 for caller, times in before.items()}
    return found


async def load_wishes(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[Where, Wish]:
    """Who has the codes that members wish for, and how many each member has."""
    wished = [
        (one, read(one.fact.vanity))
        for one in requests
        if isinstance(one.fact, ShareCode) and one.fact.vanity is not None
    ]
    if not wished:
        return {}
    asked, codes = [one for one, _ in wished], [code for _, code in wished]
    rows = await connection.fetch(_WISHED, *columns(asked), codes)
    return {
        where(row): Wish(holder=row["holder"], here=row["here"], had=row["had"]) for row in rows
    }


async def write_codes(connection: Connection, rows: Sequence[WriteRow]) -> None:
    """A code by chance where the member has none; a wish that somebody had in the meantime fails
    the batch, which then finds it taken."""
    wished = [row for row in rows if row.row.vanity is not None]
    by_chance = [row for row in rows if row.row.vanity is None]
    if by_chance:
        # The low bits of a random UUID are all random, from the system's own source.
        chances = [code_of(uuid4().int & ((1 << BITS) - 1)) for _ in by_chance]
        await connection.execute(_BY_CHANCE, *_made(by_chance, chances))
    if wished:
        texts = [row.row.vanity for row in wished]
        await connection.execute(_WISHED_FOR, *_made(wished, [read(one) for one in texts]), texts)


async def write_shares(connection: Connection, rows: Sequence[WriteRow]) -> None:
    await connection.execute(
        _SHARED,
        [row.program_id for row in rows],
        [row.member_id for row in rows],
        [row.occurred_at for row in rows],
    )


async def codes_of(connection: Connection, members: Sequence[UUID]) -> Mapping[UUID, Sequence[Any]]:
    """All codes of each of these members, what they wished for first, then the newest."""
    found: dict[UUID, list[Any]] = {}
    for row in await connection.fetch(_CODES, list(members)):
        found.setdefault(row["member_id"], []).append(row)
    return found


def _callers(request: LoadRequest) -> tuple[str, ...]:
    """For whom a code that is none is counted."""
    if isinstance(request.fact, ClaimCode):
        return callers(request.member_id, request.fact.client)
    return (FACTS,)


def _named(request: LoadRequest) -> str | None:
    """The code that a fact names, as it is kept; None: it names none."""
    if isinstance(request.fact, ClaimCode):
        return request.fact.code if request.fact.program == request.program else None
    typed = given(request, request.config.attributes.code)
    return read(typed) if isinstance(typed, str) and typed else None


def _made(rows: Sequence[WriteRow], codes: Sequence[str]) -> list[list[Any]]:
    return [
        [row.program_id for row in rows],
        [row.member_id for row in rows],
        list(codes),
        [row.occurred_at for row in rows],
    ]
