"""Members' counters summed over their windows; once a large batch, after the locks.

A counter's members are looked up together: those who were never counted cost next to nothing, and
most were not. By itself each look-up would be an aggregate of its own.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from loyalty.recorder.wants import Wants
from loyalty.settlement.batch import Batch, Summed

# The members of a window are a part of $6. The sub-selects hide from the planner how few windows
# there are: it would plan each call anew, which takes as long as the call.
_SUMS = """
select w.at, c.member_id, c.value
  from unnest((select $1::text[]), (select $2::timestamptz[]), (select $3::timestamptz[]),
              (select $4::int[]), (select $5::int[]))
         with ordinality w (name, since, before, first, last, at)
  cross join lateral (
    select c.member_id, sum(c.value)::bigint as value from loyalty.counter c
     where c.tenant_id = $7 and c.name = w.name
       and c.member_id = any(($6::uuid[])[w.first:w.last])
       and c.bucket >= w.since and c.bucket < w.before
     group by c.member_id) c
"""


async def load_sums(
    connection: Any, wants: Wants, ids: Sequence[UUID | None], batch: Batch
) -> None:
    """Load what the batch's rules may ask of members' counters; no statement where that is little,
    for then `open_batch` has it.

    `ids` are the members by ordinal, none where a ref names no member.
    """
    if wants.sums_are_few:
        return
    members: list[UUID] = []
    asked: list[Summed] = []
    parts: list[tuple[int, int]] = []
    for sums, refs in wants.sums.values():
        first = len(members)
        members += [ident for ref in refs if (ident := ids[ref - 1]) is not None]
        for summed in sums.own if len(members) > first else ():
            batch.counters.setdefault(summed, {}).update(dict.fromkeys(members[first:], 0))
            asked.append(summed)
            parts.append((first + 1, len(members)))
    if not asked:
        return
    columns = [list(column) for column in (*zip(*asked, strict=True), *zip(*parts, strict=True))]
    tenant_id = batch.setup.tenant_id
    for at, member_id, value in await connection.fetch(_SUMS, *columns, members, tenant_id):
        batch.counters[asked[at - 1]][member_id] = value
