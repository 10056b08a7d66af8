"""Statements: a period's account that both sides agree on and pay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from loyalty.plugin import Connection
from loyalty_partners.account import Figures
from loyalty_partners.period import Period


class StatementState(StrEnum):
    """Where a statement stands; the same on both sides."""

    OPEN = "OPEN"
    PROPOSED = "PROPOSED"
    AGREED = "AGREED"
    DISPUTED = "DISPUTED"
    SETTLED = "SETTLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Our half. `id` is None as long as nobody proposed it."""

    id: UUID | None
    agreement_id: UUID
    period: Period
    figures: Figures
    state: StatementState
    proposed_here: bool | None = None
    proposed_at: datetime | None = None
    agreed_at: datetime | None = None
    settled_at: datetime | None = None
    payment_ref: str | None = None


_HERE = "tenant_id = (select loyalty.tenant())"
# Open disputes over lines of the period or before keep what they are about, and nothing else.
_REFRESH = f"""
update loyalty.partners_statement s
   set disputes = $2, net = s.opening + s.movements + s.fees + s.payments + $2,
       state = case when exists (
           select from loyalty.partners_dispute d
             join loyalty.partners_movement m on (m.tenant_id, m.id) = (d.tenant_id, d.movement_id)
            where d.tenant_id = s.tenant_id and d.agreement_id = s.agreement_id
              and d.state = 'OPEN' and m.occurred_at < s.before) then 'DISPUTED'
         when s.agreed_at is not null then 'AGREED' else 'PROPOSED' end
 where s.{_HERE} and s.id = $1
"""


async def by_period(connection: Connection, agreement_id: UUID, period: Period) -> Statement | None:
    row = await connection.fetchrow(
        f"""select * from loyalty.partners_statement
             where {_HERE} and agreement_id = $1 and since = $2""",
        agreement_id,
        period.since,
    )
    return None if row is None else statement_of(row)


async def by_id(connection: Connection, statement_id: UUID) -> Statement | None:
    row = await connection.fetchrow(
        f"select * from loyalty.partners_statement where {_HERE} and id = $1", statement_id
    )
    return None if row is None else statement_of(row)


async def of_agreement(connection: Connection, agreement_id: UUID) -> Sequence[Statement]:
    """All that were proposed, the newest period first."""
    rows = await connection.fetch(
        f"""select * from loyalty.partners_statement
             where {_HERE} and agreement_id = $1 order by since desc limit 240""",
        agreement_id,
    )
    return [statement_of(row) for row in rows]


async def unsettled(connection: Connection, agreement_id: UUID) -> Sequence[Statement]:
    """Those to be paid yet, the oldest first."""
    rows = await connection.fetch(
        f"""select * from loyalty.partners_statement
             where {_HERE} and agreement_id = $1 and state <> 'SETTLED' order by since""",
        agreement_id,
    )
    return [statement_of(row) for row in rows]


async def insert(connection: Connection, made: Statement) -> None:
    figures = made.figures
    await connection.execute(
        """insert into loyalty.partners_statement
             (tenant_id, id, agreement_id, since, before, currency, opening, movements, fees,
              payments, disputes, net, lines, state, proposed_here, proposed_at)
           values (loyalty.tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
                   $15)""",
        made.id, made.agreement_id, made.period.since, made.period.before, figures.currency,
        figures.opening, figures.movements, figures.fees, figures.payments, figures.disputes,
        figures.net, figures.lines, made.state.value, made.proposed_here, made.proposed_at,
    )  # fmt: skip


async def refresh(connection: Connection, statement_id: UUID, disputes: int) -> None:
    """A dispute came or went: only what it is about moves in or out."""
    await connection.execute(_REFRESH, statement_id, disputes)


async def agree(connection: Connection, statement_id: UUID, now: datetime) -> None:
    await connection.execute(
        f"""update loyalty.partners_statement
               set agreed_at = $2, state = case state when 'PROPOSED' then 'AGREED' else state end
             where {_HERE} and id = $1""",
        statement_id,
        now,
    )


async def settle(
    connection: Connection, statements: Sequence[UUID], now: datetime, ref: str
) -> None:
    await connection.execute(
        f"""update loyalty.partners_statement
               set state = 'SETTLED', settled_at = $2, payment_ref = $3
             where {_HERE} and id = any($1)""",
        list(statements),
        now,
        ref,
    )


def statement_of(row: Mapping[str, Any]) -> Statement:
    names = ("currency", "opening", "movements", "fees", "payments", "disputes", "lines")
    return Statement(
        id=row["id"],
        agreement_id=row["agreement_id"],
        period=Period(row["since"], row["before"]),
        figures=Figures(**{name: row[name] for name in names}),
        state=StatementState(row["state"]),
        proposed_here=row["proposed_here"],
        proposed_at=row["proposed_at"],
        agreed_at=row["agreed_at"],
        settled_at=row["settled_at"],
        payment_ref=row["payment_ref"],
    )
