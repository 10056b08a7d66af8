"""What an outside brand may still give, as a fact of it finds it: counted under a lock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from loyalty.plugin import Connection, Loader, LoadRequest, Writer, WriteRow
from loyalty_partners.facts import PointsIssued
from loyalty_partners.issuing import Issuing, issuing_of

NEED = "fund"

# In the order of their ids: whoever gives for several brands at once waits in no circle.
_LOCK = """
select a.id, a.state, a.partner, f.points from loyalty.partners_agreement a
  left join loyalty.partners_fund f on (f.tenant_id, f.agreement_id) = (a.tenant_id, a.id)
 where a.tenant_id = (select loyalty.tenant()) and a.id = any($1) and a.program_id = any($2)
 order by a.id for no key update of a
"""
# What counts to a day are facts that happened in it, whenever they came, wherever they are booked.
_COUNTED = """
select w.at, w.program, w.agreement, t.terms as plain,
       coalesce((select sum(m.points_in) from loyalty.partners_movement m
         join loyalty.fact f on (f.tenant_id, f.id) = (m.tenant_id, m.fact_id)
         where m.tenant_id = t.tenant_id and m.agreement_id = t.agreement_id
           and m.occurred_at >= w.day and m.kind = 'ISSUE'
           and f.occurred_at >= w.day and f.occurred_at < d.ends
           and t.terms #>> '{issuing,per_day}' is not null), 0)::bigint as in_all,
       coalesce((select sum(m.points_in) from loyalty.partners_movement m
         join loyalty.fact f on (f.tenant_id, f.id) = (m.tenant_id, m.fact_id)
         where m.tenant_id = t.tenant_id and m.agreement_id = t.agreement_id
           and m.member_id = w.member and m.occurred_at >= w.day and m.kind = 'ISSUE'
           and f.occurred_at >= w.day and f.occurred_at < d.ends
           and t.terms #>> '{issuing,per_member_per_day}' is not null), 0)::bigint as by_member
  from unnest($1::int[], $2::text[], $3::uuid[], $4::int[], $5::uuid[], $6::timestamptz[])
         w (at, program, agreement, number, member, day)
 cross join lateral (
   select (date_trunc('day', w.day at time zone z.zone) + interval '1 day') at time zone z.zone
            as ends
     from loyalty.tenant z where z.tenant_id = (select loyalty.tenant())) d
  join loyalty.partners_terms t on t.tenant_id = (select loyalty.tenant())
   and t.agreement_id = w.agreement and t.number = w.number
"""
_MOVE = """
insert into loyalty.partners_fund as f (tenant_id, agreement_id, points)
select (select loyalty.tenant()), w.agreement, sum(w.points)
  from unnest($1::uuid[], $2::bigint[]) w (agreement, points) group by w.agreement
on conflict (tenant_id, agreement_id) do update set points = f.points + excluded.points
"""
_TAKE = """
update loyalty.partners_fund f set points = f.points + w.points
  from (select agreement, sum(points)::bigint as points
          from unnest($1::uuid[], $2::bigint[]) w (agreement, points) group by 1) w
 where f.tenant_id = (select loyalty.tenant()) and f.agreement_id = w.agreement
"""
_PACK = """
insert into loyalty.partners_pack
  (tenant_id, id, agreement_id, key, points, currency, amount, liability, bought_at)
select (select loyalty.tenant()), * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[],
  $5::text[], $6::bigint[], $7::bigint[], $8::timestamptz[])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fund:
    """`left` are points of packs (None: the brand pays afterwards)."""

    active: bool
    partner: str
    terms: Issuing
    left: int | None
    by_member: int
    in_all: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FundMoved:
    """Points come into a brand's fund, or leave it."""

    agreement_id: UUID
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PackRow:
    """A pack as it was bought."""

    id: UUID
    agreement_id: UUID
    key: str
    points: int
    currency: str
    amount: int
    liability: int


async def load_funds(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[tuple[int, str], Fund]:
    asked = [(one, one.fact) for one in requests if isinstance(one.fact, PointsIssued)]
    if not asked:
        return {}
    halves = {
        row["id"]: row
        for row in await connection.fetch(
            _LOCK,
            sorted({fact.movement.agreement_id for _, fact in asked}),
            sorted({one.program_id for one, _ in asked}),
        )
    }
    rows = await connection.fetch(
        _COUNTED,
        [one.at for one, _ in asked],
        [one.program for one, _ in asked],
        [fact.movement.agreement_id for _, fact in asked],
        [fact.movement.terms for _, fact in asked],
        [one.member_id for one, _ in asked],
        [fact.day for _, fact in asked],
    )
    found = {}
    for row in rows:
        if (half := halves.get(row["agreement"])) is not None:
            terms = issuing_of(row["plain"])
            found[row["at"], row["program"]] = Fund(
                active=half["state"] == "ACTIVE", partner=half["partner"], terms=terms,
                left=(half["points"] or 0) if terms.prepaid else None,
                by_member=row["by_member"], in_all=row["in_all"],
            )  # fmt: skip
    return found


async def move_funds(connection: Connection, rows: Sequence[WriteRow]) -> None:
    """What comes in may be the first; what leaves was there, or the check of the table says no."""
    for query, wanted in (
        (_MOVE, [row.row for row in rows if row.row.points > 0]),
        (_TAKE, [row.row for row in rows if row.row.points < 0]),
    ):
        if wanted:
            await connection.execute(
                query, [one.agreement_id for one in wanted], [one.points for one in wanted]
            )


async def write_packs(connection: Connection, rows: Sequence[WriteRow]) -> None:
    names = ("id", "agreement_id", "key", "points", "currency", "amount", "liability")
    await connection.execute(
        _PACK,
        *([getattr(row.row, name) for row in rows] for name in names),
        [row.occurred_at for row in rows],
    )


FUNDS = Loader(name=NEED, load=load_funds)
WRITERS = (Writer(row=FundMoved, write=move_funds), Writer(row=PackRow, write=write_packs))
