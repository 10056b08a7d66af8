"""What a brand owes and is owed over all its partners."""

from datetime import datetime
from typing import Any

import strawberry

from loyalty.units import currency_places, format_minor
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.ids import node_id
from loyalty_graphql.scalars import Decimal
from loyalty_partners import account
from loyalty_partners.graphql.agreements import NODE
from loyalty_tenants.principal import Role


@strawberry.type
@reached
class PartnerPosition:
    """What stands between us and one partner."""

    agreement: strawberry.ID
    """Id of the agreement."""
    partner: str
    """The partner."""
    balance: Decimal
    """What the partner owes us; less than nothing: what we owe it."""


@strawberry.type
@reached
class ClearingPosition:
    """All partners together, in one currency."""

    currency: str
    """ISO 4217 code."""
    receivable: Decimal
    """What partners owe us."""
    payable: Decimal
    """What we owe partners."""
    net: Decimal
    """The one less the other."""
    positions: list[PartnerPosition]
    """By partner."""


@strawberry.type
class PositionQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:read")
    async def clearing_positions(
        self, info: RequestInfo, before: datetime | None = None
    ) -> list[ClearingPosition]:
        """What we owe and are owed over all partners, by currency.

        :param before: of lines before this instant; null: of all
        """
        context = info.context
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            rows = await account.balances(connection, before)
        by_currency: dict[str, list[Any]] = {}
        for row in rows:
            by_currency.setdefault(row["currency"], []).append(row)
        return [_position(currency, found) for currency, found in sorted(by_currency.items())]


def _position(currency: str, rows: list[Any]) -> ClearingPosition:
    places = currency_places(currency) or 0

    def money(minor: int) -> Decimal:
        return Decimal(format_minor(minor, places))

    balances = [row["balance"] for row in rows]
    return ClearingPosition(
        currency=currency,
        receivable=money(sum(balance for balance in balances if balance > 0)),
        payable=money(-sum(balance for balance in balances if balance < 0)),
        net=money(sum(balances)),
        positions=[
            PartnerPosition(
                agreement=node_id(NODE, row["agreement_id"]),
                partner=row["partner"],
                balance=money(row["balance"]),
            )
            for row in rows
        ],
    )
