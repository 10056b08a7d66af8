"""Days of exchanges with partners elsewhere: what both halves say of them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.plugin import Connection
from loyalty.units import currency_places, format_minor
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.ids import node_id, read_node_id
from loyalty_graphql.scalars import Decimal
from loyalty_partners.graphql.agreements import PartnerAgreement, readable
from loyalty_partners.graphql.enums import DayState
from loyalty_partners.graphql.exchanges import EXCHANGE
from loyalty_partners.remote.day import day_of, listed
from loyalty_tenants.principal import Role

NO_DAYS: Sequence[Any] = ()
SHOWN_MAX = 62


@strawberry.type
@reached
class PartnerDayLine:
    """One exchange of a day."""

    id: strawberry.ID
    """Of the exchange."""
    reversed: bool
    """Whether it was undone."""
    amount: Decimal
    """The price of its points; more than nothing: the partner owes us."""


@strawberry.type
@reached
class PartnerDayHalf:
    """A day of exchanges as our half has it, but for those that were called off."""

    exchanges: int
    """How many."""
    under_way: int
    """How many of them are not known to both sides yet."""
    reversed: int
    """How many were undone."""
    points_out: Decimal
    """Points of ours that left members for the partner."""
    points_in: Decimal
    """Points of ours that members got."""
    amount: Decimal
    """Their price; more than nothing: the partner owes us."""
    charge: Decimal
    """What is owed besides."""
    digest: str
    """Of their ids, and of what was undone: two halves that are alike have one."""
    listed: list[PartnerDayLine]
    """They, one by one, by id; at most 500 beyond the one named."""


@strawberry.type
@reached
class PartnerDay:
    """What came of comparing a day with a partner elsewhere."""

    day: str
    """In UTC, such as 2026-03-14."""
    state: DayState
    """Whether both halves say the same."""
    exchanges: int
    """How many our half has."""
    amount: Decimal
    """What the partner owes us for them, all in all."""
    differing: list[strawberry.ID]
    """Exchanges that one half has and the other has not, or has otherwise; at most 50."""
    compared_at: datetime
    """When."""


@strawberry.type
class DayQuery:
    @strawberry.field
    @allow(Role.PARTNER, scope="partner:remote")
    async def partner_day(
        self, info: RequestInfo, agreement: strawberry.ID, day: str,
        after: strawberry.ID | None = None,
    ) -> PartnerDayHalf | None:  # fmt: skip
        """A day of exchanges, for a brand of another installation to compare with its half.

        :param agreement: id of the agreement
        :param day: in UTC, such as 2026-03-14
        :param after: list exchanges beyond this one
        """
        context = info.context
        half, wanted = await readable(context, agreement), _day(day)
        if half is None or wanted is None:
            return None
        beyond = None if after is None else read_node_id(after)
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            ours, _ = await day_of(connection, half.id, wanted)
            rows = await listed(connection, half.id, wanted, beyond and beyond[1])
            currency = await connection.fetchval(_CURRENCY, half.id)
        places, money = (await context.setup()).places(half.unit or "") or 0, _money(currency)
        return PartnerDayHalf(
            exchanges=ours.exchanges, under_way=ours.under_way, reversed=ours.reversed,
            points_out=Decimal(format_minor(ours.points_out, places)),
            points_in=Decimal(format_minor(ours.points_in, places)),
            amount=Decimal(format_minor(ours.amount, money)),
            charge=Decimal(format_minor(ours.charge, money)),
            digest=ours.digest,
            listed=[
                PartnerDayLine(
                    id=node_id(EXCHANGE, row["id"]), reversed=row["reversed"],
                    amount=Decimal(format_minor(row["amount"], money)),
                )
                for row in rows
            ],
        )  # fmt: skip


@strawberry.field
async def compared_days(
    root: strawberry.Parent[PartnerAgreement], info: RequestInfo
) -> list[PartnerDay]:
    """Days that were compared with a partner elsewhere, the newest first, at most 62."""
    rows = await info.context.loaders.of(days_of, NO_DAYS).load(root.key.id)
    return [
        PartnerDay(
            day=row["day"].isoformat(), state=DayState(row["state"]), exchanges=row["exchanges"],
            amount=Decimal(format_minor(row["amount"], _money(row["currency"]))),
            differing=[node_id(EXCHANGE, ident) for ident in row["differing"]],
            compared_at=row["compared_at"],
        )
        for row in rows
    ]  # fmt: skip


_CURRENCY = """
select terms ->> 'currency' from loyalty.partners_terms
 where tenant_id = (select loyalty.tenant()) and agreement_id = $1 and number = 1
"""


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if date(2000, 1, 1) <= found < date(9000, 1, 1) else None


def _money(currency: str | None) -> int:
    return currency_places(currency or "") or 0


async def days_of(connection: Connection, agreed: Sequence[UUID]) -> Mapping[UUID, Sequence[Any]]:
    """The newest days of each agreement."""
    rows = await connection.fetch(
        """select k.*, t.terms ->> 'currency' as currency from unnest($1::uuid[]) w (id)
             cross join lateral (
               select * from loyalty.partners_day k
                where k.tenant_id = (select loyalty.tenant()) and k.agreement_id = w.id
                order by k.day desc limit $2) k
             join loyalty.partners_terms t
               on (t.tenant_id, t.agreement_id, t.number) = (k.tenant_id, k.agreement_id, 1)
            order by k.day desc""",
        list(agreed),
        SHOWN_MAX,
    )
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row["agreement_id"], []).append(row)
    return found
