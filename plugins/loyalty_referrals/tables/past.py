"""Hashes of hashes that friends were seen with who were rewarded and erased since.

Made once more, so that what was kept elsewhere of the living says nothing of them.
"""

from collections.abc import Sequence

from loyalty.plugin import Connection, WriteRow

AGAIN = "encode(sha256(convert_to('erased:' || {hash}, 'UTF8')), 'hex')"
_REMEMBER = f"""
insert into loyalty.referral_past (tenant_id, program_id, referrer_id, kind, hash, until)
select distinct on (1, 2, 3, 4, 5) (select loyalty.tenant()), w.program_id, w.referrer_id, s.kind,
       {AGAIN.format(hash="s.hash")}, w.until
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[])
         w (program_id, member_id, referrer_id, kinds, until)
  join loyalty.referral_signal s on s.tenant_id = (select loyalty.tenant())
   and s.member_id = w.member_id and s.kind = any(string_to_array(w.kinds, ' '))
 where not exists (  -- whose rows go with them, and would never go now
       select from loyalty.erasure e where e.tenant_id = (select loyalty.tenant())
          and e.member_id = w.referrer_id)
 order by 1, 2, 3, 4, 5, 6 desc
on conflict (tenant_id, program_id, referrer_id, kind, hash)
   do update set until = greatest(referral_past.until, excluded.until)
"""
_FORGET = """
delete from loyalty.referral_past p
 using unnest($1::uuid[], $2::timestamptz[]) w (program_id, at)
 where p.tenant_id = (select loyalty.tenant()) and p.program_id = w.program_id and p.until <= w.at
"""


async def write_past(connection: Connection, rows: Sequence[WriteRow]) -> None:
    await connection.execute(
        _REMEMBER,
        [row.program_id for row in rows],
        [row.member_id for row in rows],
        [row.row.referrer for row in rows],
        [" ".join(row.row.kinds) for row in rows],
        [row.row.until for row in rows],
    )


async def forget_past(connection: Connection, rows: Sequence[WriteRow]) -> None:
    await connection.execute(
        _FORGET, [row.program_id for row in rows], [row.row.at for row in rows]
    )
