"""Payouts in their table, as rules load and write them, and what the audit asks of them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from loyalty.plugin import Connection, Loader, LoadRequest, Writer, WriteRow
from loyalty_cashback.commands import RecordPayout, RequestPayout
from loyalty_cashback.payout import Payout, PayoutChange, PayoutRow, State, Way
from loyalty_cashback.rules.paying_out import NEED, PAID_OUT

_LOAD = """
select w.at, w.program, p.id, p.way, p.unit, p.currency, p.amount, p.state, p.requested_at, p.day,
       p.destination, r.id as redemption_id
  from unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[])
         w (at, program, program_id, member_id, id)
  cross join lateral (
    select p.* from loyalty.cashback_payout p
     where p.tenant_id = (select loyalty.tenant()) and p.id = w.id
       and p.member_id = w.member_id and p.program_id = w.program_id offset 0) p
  cross join lateral (
    select r.id from loyalty.redemption r
     where r.tenant_id = p.tenant_id and r.member_id = p.member_id
       and r.hold_fact_id = p.fact_id offset 0) r
"""
_WRITE = """
insert into loyalty.cashback_payout (tenant_id, member_id, program_id, fact_id, id, way, day, unit,
  currency, amount, destination, requested_at, changed_at)
select (select loyalty.tenant()), w.*, w.requested_at
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::bigint[], $10::text[], $11::timestamptz[])
    w (member_id, program_id, fact_id, id, way, day, unit, currency, amount, destination,
       requested_at)
"""
_CHANGE = """
update loyalty.cashback_payout p
   set state = $2, changed_at = $3, reference = coalesce($4, p.reference),
       reason = coalesce($5, p.reason)
 where p.tenant_id = (select loyalty.tenant()) and p.id = $1
"""


async def load_payouts(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[tuple[int, str], Payout]:
    """The payout that each request names, if it is its member's and its program's."""
    asked = [
        (one, one.fact.payout)
        for one in requests
        if isinstance(one.fact, RequestPayout | RecordPayout) and one.member_id is not None
    ]
    if not asked:
        return {}
    rows = await connection.fetch(
        _LOAD,
        [one.at for one, _ in asked],
        [one.program for one, _ in asked],
        [one.program_id for one, _ in asked],
        [one.member_id for one, _ in asked],
        [ident for _, ident in asked],
    )
    return {(row["at"], row["program"]): _payout(row) for row in rows}


def _payout(row: Mapping[str, Any]) -> Payout:
    return Payout(
        id=row["id"], way=Way(row["way"]), unit=row["unit"], currency=row["currency"],
        amount=row["amount"], state=State(row["state"]), requested_at=row["requested_at"],
        day=row["day"], destination=row["destination"], redemption_id=row["redemption_id"],
    )  # fmt: skip


async def write_payouts(connection: Connection, rows: Sequence[WriteRow]) -> None:
    payouts: list[Payout] = [row.row.payout for row in rows]
    await connection.execute(
        _WRITE,
        [row.member_id for row in rows],
        [row.program_id for row in rows],
        [row.fact_id for row in rows],
        [one.id for one in payouts],
        [one.way for one in payouts],
        [one.day for one in payouts],
        [one.unit for one in payouts],
        [one.currency for one in payouts],
        [one.amount for one in payouts],
        [one.destination for one in payouts],
        [one.requested_at for one in payouts],
    )


async def write_changes(connection: Connection, rows: Sequence[WriteRow]) -> None:
    """One after the other: a batch may say twice of a payout what became of it."""
    changes: list[PayoutChange] = [row.row for row in rows]
    await connection.executemany(
        _CHANGE, [(one.id, one.state, one.at, one.reference, one.reason) for one in changes]
    )


async def paid_by_statement(
    connection: Connection, program_id: UUID, unit: str, day: str
) -> tuple[int, int]:
    """To how many members a day's statement pays of a unit, and how much in all."""
    row = await connection.fetchrow(
        """select count(*) as members, coalesce(sum(amount), 0)::bigint as amount
             from loyalty.cashback_payout
            where tenant_id = (select loyalty.tenant()) and program_id = $1 and unit = $2
              and day = $3""",
        program_id,
        unit,
        day,
    )
    return row["members"], row["amount"]


LOADERS = (Loader(name=NEED, load=load_payouts),)
WRITERS = (
    Writer(row=PayoutRow, write=write_payouts),
    Writer(row=PayoutChange, write=write_changes),
)

INVARIANTS = {
    "a payout is what its fact took of the member's lots": """
      select p.id, p.amount, coalesce(u.taken, 0) as taken from loyalty.cashback_payout p
        left join (select fact_id, sum(amount) as taken from loyalty.lot_use
                    where kind = 'BURN' group by fact_id) u on u.fact_id = p.fact_id
       where p.amount <> coalesce(u.taken, 0)""",
    "a payout that came back gave the money back, and no other did": """
      select p.id, p.state, r.state as redemption from loyalty.cashback_payout p
        left join loyalty.redemption r on r.member_id = p.member_id
         and r.hold_fact_id = p.fact_id and r.unit = p.unit and r.captured = p.amount
       where r.state is distinct from
             case when p.state in ('FAILED', 'RETURNED') then 'REVERSED' else 'CAPTURED' end""",
    "what a program paid out is the sum of its payouts that did not come back": f"""
      select coalesce(a.program_id, p.program_id) as program_id, coalesce(a.unit, p.unit) as unit,
             coalesce(a.posted, 0) as posted, coalesce(p.paid, 0) as paid
        from (select c.owner_id as program_id, c.unit,
                     sum(case when x.to_id = c.id then x.amount else -x.amount end) as posted
                from loyalty.account c
                join loyalty.posting x on c.id in (x.to_id, x.from_id)
               where c.owner_kind = 'PROGRAM' and c.kind = '{PAID_OUT}'
               group by 1, 2) a
        full join (select program_id, unit, sum(amount) as paid from loyalty.cashback_payout
                    where state in ('REQUESTED', 'PAID') group by 1, 2) p
          on (p.program_id, p.unit) = (a.program_id, a.unit)
       where coalesce(a.posted, 0) <> coalesce(p.paid, 0)""",
}
