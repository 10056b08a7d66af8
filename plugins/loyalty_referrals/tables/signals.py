"""Hashes that members were seen with, and what they say of two members."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from loyalty.facts import MemberEnrolled, PurchaseRecorded
from loyalty.plugin import Connection, LoadRequest, WriteRow
from loyalty_referrals.facts import Attributed, Qualified, Reconsidered
from loyalty_referrals.guards import RING_MAX
from loyalty_referrals.rows import Evidence
from loyalty_referrals.signals import Kind, hashed
from loyalty_referrals.tables.past import AGAIN
from loyalty_referrals.tables.requests import ASKED, Where, columns, given, of_type, where

_KEY = "select key from loyalty.referral_key where tenant_id = (select loyalty.tenant())"
_MAKE_KEY = """
insert into loyalty.referral_key (tenant_id, key)
select (select loyalty.tenant()), decode(
  replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')
 where current_setting('transaction_read_only') = 'off'
on conflict do nothing
"""
_SEE = """
insert into loyalty.referral_signal (tenant_id, kind, hash, member_id, seen_at)
select distinct on (w.kind, w.hash, w.member_id)
       (select loyalty.tenant()), w.kind, w.hash, w.member_id, w.seen_at
  from unnest($1::text[], $2::text[], $3::uuid[], $4::timestamptz[])
         w (kind, hash, member_id, seen_at)
 order by w.kind, w.hash, w.member_id, w.seen_at
on conflict do nothing
"""
# The friend is compared with the referrer and with everybody else whom the referrer brought, also
# with those who were erased since.
_SHARED = f"""
select at, program, array_agg(distinct kind order by kind) as kinds from (
select w.at, w.program, s.kind
  from {ASKED}
  join loyalty.referral r on r.tenant_id = (select loyalty.tenant())
   and r.friend_id = w.member and r.program_id = w.program_id
  join loyalty.referral_signal s on s.tenant_id = (select loyalty.tenant())
   and s.member_id = w.member
  join loyalty.referral_signal o on o.tenant_id = (select loyalty.tenant())
   and o.kind = s.kind and o.hash = s.hash and o.member_id <> w.member
  left join loyalty.referral x on x.tenant_id = (select loyalty.tenant())
   and x.friend_id = o.member_id and x.program_id = w.program_id
   and x.referrer_id = r.referrer_id
 where o.member_id = r.referrer_id or x.id is not null
union all
select w.at, w.program, s.kind
  from unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[], $5::timestamptz[])
         w (at, program, program_id, member, now)
  join loyalty.referral r on r.tenant_id = (select loyalty.tenant())
   and r.friend_id = w.member and r.program_id = w.program_id
  join loyalty.referral_signal s on s.tenant_id = (select loyalty.tenant())
   and s.member_id = w.member
  join loyalty.referral_past p on p.tenant_id = (select loyalty.tenant())
   and p.program_id = w.program_id and p.referrer_id = r.referrer_id and p.kind = s.kind
   and p.hash = {AGAIN.format(hash="s.hash")} and p.until > w.now) found
 group by at, program
"""
_RECENT = """
select w.at, w.program, count(*) as friends
  from unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[], $5::interval[])
         w (at, program, program_id, member, time)
  join loyalty.referral r on r.tenant_id = (select loyalty.tenant())
   and r.friend_id = w.member and r.program_id = w.program_id
  join loyalty.referral x on x.tenant_id = (select loyalty.tenant())
   and x.program_id = w.program_id and x.referrer_id = r.referrer_id
   and x.friend_id <> x.referrer_id
   and x.attributed_at > r.attributed_at - w.time and x.attributed_at <= r.attributed_at
 group by w.at, w.program
"""
# From the friend up to whoever brought them, and on: a ring leads back to the friend.
_RINGS = f"""
with recursive up (at, program, program_id, friend, member, members) as (
  select w.at, w.program, w.program_id, w.member, w.member, 0 from {ASKED}
  union all
  select u.at, u.program, u.program_id, u.friend, r.referrer_id, u.members + 1
    from up u join loyalty.referral r on r.tenant_id = (select loyalty.tenant())
     and r.friend_id = u.member and r.program_id = u.program_id
   where u.members < {RING_MAX} and (u.members = 0 or u.member <> u.friend))
select at, program, min(members) as members from up
 where members > 1 and member = friend group by at, program
"""


async def key_of(connection: Connection) -> bytes | None:
    """The tenant's key, made now where there is none; None where it may not be written now and so
    nothing can have been kept either."""
    key: bytes | None = await connection.fetchval(_KEY)
    if key is None:
        await connection.execute(_MAKE_KEY)
        key = await connection.fetchval(_KEY)
    return key


async def load_signals(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[Where, Mapping[str, str]]:
    """The hashes of what each enrolment or order says of its member, by kind."""
    said = {}
    for one in requests:
        if isinstance(one.fact, MemberEnrolled | PurchaseRecorded):
            named = {kind: given(one, one.config.attributes.of(kind)) for kind in Kind}
            if any(isinstance(value, str) for value in named.values()):
                said[one.at, one.program] = named
    if not said or (key := await key_of(connection)) is None:
        return {}
    return {at: hashed(key, named) for at, named in said.items()}


async def load_evidence(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[Where, Evidence]:
    """What is known of the two members of each referral that is judged."""
    asked = of_type(requests, Attributed, Qualified, Reconsidered)
    if not asked:
        return {}
    by = columns(asked)
    times = [
        timedelta(hours=one.config.guards.velocity.hours if one.config.guards.velocity else 0)
        for one in asked
    ]
    nows = [one.now for one in asked]
    shared = {where(row): row["kinds"] for row in await connection.fetch(_SHARED, *by, nows)}
    recent = {where(row): row["friends"] for row in await connection.fetch(_RECENT, *by, times)}
    rings = {where(row): row["members"] for row in await connection.fetch(_RINGS, *by)}
    return {
        (at := (one.at, one.program)): Evidence(
            shared=tuple(shared.get(at, ())), recent=recent.get(at, 0), ring=rings.get(at)
        )
        for one in asked
    }


async def write_signals(connection: Connection, rows: Sequence[WriteRow]) -> None:
    await connection.execute(
        _SEE,
        [row.row.kind for row in rows],
        [row.row.hash for row in rows],
        [row.member_id for row in rows],
        [row.occurred_at for row in rows],
    )
