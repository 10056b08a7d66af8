"""Lines that are disputed: each is open again by itself, until it is withdrawn or taken back."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from loyalty.errors import Code, Refused
from loyalty_graphql.context import Context
from loyalty_graphql.ids import node_id
from loyalty_partners import account, statement
from loyalty_partners.graphql.agreements import NODE
from loyalty_partners.graphql.lines import DISPUTE, LINE
from loyalty_partners.graphql.settling import BOOK, Table, table, wrong
from loyalty_partners.movement import MovementKind
from loyalty_partners.remote import telling

UNDISPUTED = frozenset({MovementKind.SETTLEMENT, MovementKind.CORRECTION})

_RAISE = """
insert into loyalty.partners_dispute
  (tenant_id, id, agreement_id, movement_id, raised_here, reason, state, raised_at)
values (loyalty.tenant(), $1, $2, $3, $4, $5, 'OPEN', $6)
"""
_EARLIER = """
select count(*) from loyalty.partners_dispute
 where tenant_id = (select loyalty.tenant()) and movement_id = $1
"""
# Of a line that was taken back, or a part of it, only the rest stands.
_STANDING = """
select m.agreement_id, m.currency, m.terms, m.amount + m.charge + coalesce((
         select sum(r.amount + r.charge) from loyalty.partners_movement r
          where r.tenant_id = m.tenant_id and r.of_id = m.id and r.kind = 'REVERSAL'), 0)::bigint
         as standing
  from loyalty.partners_movement m
 where m.tenant_id = (select loyalty.tenant()) and m.id = $1
"""
# A line and what takes it back are disputed one at a time: the money of both is one.
_RELATED = """
select exists (
  select from loyalty.partners_dispute d join loyalty.partners_movement m
      on (m.tenant_id, m.id) = (d.tenant_id, d.movement_id)
   where d.tenant_id = (select loyalty.tenant()) and d.agreement_id = $1
     and d.state in ('OPEN', 'ACCEPTED')
     and (m.of_id = $2 or m.id = (
       select l.of_id from loyalty.partners_movement l
        where l.tenant_id = d.tenant_id and l.id = $2)))
"""
_DECIDE = """
update loyalty.partners_dispute set state = $2, decided_at = $3
 where tenant_id = (select loyalty.tenant()) and id = $1
"""


async def dispute(context: Context, agreement_id: UUID, line_id: UUID, reason: str) -> UUID:
    """Dispute a line: it is open again, and no other is.

    :raises Refused: NOT_FOUND, STATEMENT_STATE
    """
    async with table(context, agreement_id) as seats:
        connection = await seats.ours()
        line = await connection.fetchrow(
            """select m.kind, m.occurred_at, (
                   select d.id from loyalty.partners_dispute d
                    where d.tenant_id = m.tenant_id and d.movement_id = m.id
                    order by d.raised_at desc limit 1) as dispute, (
                   select d.state from loyalty.partners_dispute d
                    where d.tenant_id = m.tenant_id and d.movement_id = m.id
                    order by d.raised_at desc limit 1) as state
                 from loyalty.partners_movement m
                where m.tenant_id = (select loyalty.tenant()) and m.id = $1
                  and m.agreement_id = $2""",
            line_id,
            agreement_id,
        )
        if line is None:
            raise Refused(Code.NOT_FOUND, "there is no such line", field="line")
        if line["kind"] in UNDISPUTED:
            raise wrong("line", f"a {line['kind'].lower()} is not disputed")
        if line["state"] == "OPEN" and seats.from_elsewhere:
            return UUID(str(line["dispute"]))  # our half has it, and the answer was lost
        if line["state"] in ("OPEN", "ACCEPTED"):
            raise wrong("line", "is disputed already, or was corrected")
        if await connection.fetchval(_RELATED, agreement_id, line_id):
            raise wrong("line", "what it takes back, or is taken back by, is disputed or corrected")
        earlier = await connection.fetchval(_EARLIER, line_id)
        ident = seats.named(f"dispute:{line_id}:{earlier}")
        async for connection, here in seats.each():
            await connection.execute(_RAISE, ident, agreement_id, line_id, here, reason, seats.now)
        await _refresh(seats, line["occurred_at"])
        await seats.note("statement.dispute", {"line": str(line_id)})
        told = {
            "agreement": node_id(NODE, agreement_id), "line": node_id(LINE, line_id),
            "reason": reason,
        }  # fmt: skip
        await seats.tell(telling.DISPUTE, told)
    return ident


async def decide(
    context: Context, agreement_id: UUID, dispute_id: UUID, *, accept: bool,
    at: datetime | None = None,
) -> None:  # fmt: skip
    """Accept a dispute of the other side, which takes the line back, or withdraw one's own.

    :raises Refused: NOT_FOUND, STATEMENT_STATE
    """
    async with table(context, agreement_id, at) as seats:
        connection = await seats.ours()
        row = await connection.fetchrow(
            """select d.state, d.raised_here, m.occurred_at, m.id from loyalty.partners_dispute d
                 join loyalty.partners_movement m
                   on (m.tenant_id, m.id) = (d.tenant_id, d.movement_id)
                where d.tenant_id = (select loyalty.tenant()) and d.id = $1
                  and d.agreement_id = $2""",
            dispute_id,
            agreement_id,
        )
        if row is None:
            raise Refused(Code.NOT_FOUND, "there is no such dispute", field="dispute")
        wanted = "ACCEPTED" if accept else "WITHDRAWN"
        if row["state"] == wanted:
            return
        if row["state"] != "OPEN":
            raise wrong("dispute", f"is {row['state'].lower()} already")
        if (row["raised_here"] is seats.us) is accept:
            who = "the other side accepts it" if accept else "only who raised it withdraws it"
            raise wrong("dispute", who)
        async for connection, _ in seats.each():
            await connection.execute(_DECIDE, dispute_id, wanted, seats.now)
            if accept:
                await _correct(connection, row["id"], dispute_id, seats.now)
        await _refresh(seats, row["occurred_at"])
        await seats.note(f"dispute.{wanted.lower()}", {"line": str(row["id"])})
        told = {
            "agreement": node_id(NODE, agreement_id), "dispute": node_id(DISPUTE, dispute_id),
            "accept": accept, "at": seats.now.isoformat(),
        }  # fmt: skip
        await seats.tell(telling.DECIDE, told)


async def _correct(connection: Any, line_id: UUID, dispute_id: UUID, now: datetime) -> None:
    """What still stands of a line's money comes back; its points moved, and stay where they are."""
    line = await connection.fetchrow(_STANDING, line_id)
    await connection.execute(
        BOOK, uuid5(dispute_id, "correction"), line["agreement_id"],
        MovementKind.CORRECTION.value, line_id, line["currency"],
        -line["standing"], line["terms"], None, now,
    )  # fmt: skip


async def _refresh(seats: Table, occurred_at: datetime) -> None:
    """The statements that are not paid yet and have the line."""
    async for connection, _ in seats.each():
        for one in await statement.unsettled(connection, seats.half.id):
            if occurred_at < one.period.before and one.id is not None:
                now = await account.figures(
                    connection, seats.half.id, one.figures.currency, one.period
                )
                await statement.refresh(connection, one.id, now.disputes)
