"""Referrals as they are read outside of rules: a member's own, a page of all, figures."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.plugin import Connection

SHOWN_MAX = 100
_READ = """r.program_id, r.friend_id, r.referrer_id, r.id, r.code, r.via, r.attributed_at,
  r.open_until, r.verdict, r.reasons, r.qualified_at, r.pays_at, r.decided_by, r.decided_at,
  r.decided_why"""
_BROUGHT = f"""
select {_READ}, s.cut, m.id as member_id
  from unnest($1::uuid[], $2::uuid[]) m (id, program_id)
  cross join lateral (
    select r.* from loyalty.referral r
     where r.tenant_id = (select loyalty.tenant()) and r.program_id = m.program_id
       and r.referrer_id = m.id and r.friend_id <> m.id
     order by r.attributed_at desc, r.id desc limit {SHOWN_MAX}) r
  left join loyalty.referral_side s on s.tenant_id = (select loyalty.tenant())
   and s.member_id = m.id and s.program_id = r.program_id and s.friend_id = r.friend_id
 order by r.attributed_at desc, r.id desc
"""
_BROUGHT_BY = f"""
select {_READ} from unnest($1::uuid[]) m (id)
  join loyalty.referral r on r.tenant_id = (select loyalty.tenant()) and r.friend_id = m.id
"""
_BY_ID = f"""
select {_READ} from loyalty.referral r where r.tenant_id = (select loyalty.tenant()) and r.id = $1
"""
_PAGE = f"""
select {_READ} from loyalty.referral r
 where r.tenant_id = (select loyalty.tenant()) and r.program_id = $1
   and ($2::text is null or r.verdict = $2)
   and ($3::timestamptz is null or (r.attributed_at, r.id) {{side}} ($3, $4::uuid))
 order by r.attributed_at {{order}}, r.id {{order}} limit $5
"""
_FUNNEL = """
select (select count(*) from loyalty.referral_share s where s.tenant_id = (select loyalty.tenant())
           and s.program_id = $1 and s.first_at >= $2 and s.first_at < $3) as shared,
       count(*) as enrolled,
       count(*) filter (where r.key is not null and r.verdict in ('CLEAR', 'RELEASED'))
         as qualified,
       count(*) filter (where r.pays_at <= $4 and r.verdict in ('CLEAR', 'RELEASED')) as paid,
       count(*) filter (where r.verdict in ('BLOCKED', 'REFUSED')) as blocked,
       count(*) filter (where r.verdict = 'REVIEW') as in_review
  from loyalty.referral r
 where r.tenant_id = (select loyalty.tenant()) and r.program_id = $1
   and r.attributed_at >= $2 and r.attributed_at < $3
"""


async def brought(
    connection: Connection, asked: Sequence[tuple[UUID, UUID]]
) -> Mapping[tuple[UUID, UUID], Sequence[Any]]:
    """By (member, program) the newest friends whom each brought."""
    rows = await connection.fetch(_BROUGHT, [one for one, _ in asked], [one for _, one in asked])
    found: dict[tuple[UUID, UUID], list[Any]] = {}
    for row in rows:
        found.setdefault((row["member_id"], row["program_id"]), []).append(row)
    return found


async def brought_by(
    connection: Connection, members: Sequence[UUID]
) -> Mapping[UUID, Sequence[Any]]:
    """The referrals of each of these members as a friend."""
    found: dict[UUID, list[Any]] = {}
    for row in await connection.fetch(_BROUGHT_BY, list(members)):
        found.setdefault(row["friend_id"], []).append(row)
    return found


async def by_id(connection: Connection, referral: UUID) -> Any:
    return await connection.fetchrow(_BY_ID, referral)


async def page(
    connection: Connection, program: UUID, verdict: str | None, *,
    beyond: tuple[datetime, UUID] | None, count: int, backward: bool,
) -> Sequence[Any]:  # fmt: skip
    """Referrals of a program, the newest first."""
    side, order = (">", "asc") if backward else ("<", "desc")
    at, ident = beyond or (None, None)
    return await connection.fetch(
        _PAGE.format(side=side, order=order), program, verdict, at, ident, count
    )


async def funnel(
    connection: Connection, program: UUID, since: datetime, until: datetime, now: datetime
) -> Any:
    return await connection.fetchrow(_FUNNEL, program, since, until, now)
