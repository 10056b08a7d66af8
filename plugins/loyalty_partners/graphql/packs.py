"""Packs of points that outside brands bought ahead, and what is left of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.plugin import Connection
from loyalty.units import currency_places, format_minor
from loyalty_graphql.access import reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.ids import node_id
from loyalty_graphql.scalars import Decimal
from loyalty_partners.graphql.agreements import PartnerAgreement
from loyalty_partners.graphql.lines import LINE

NO_PACKS: Sequence[Any] = ()
NO_FUND: int | None = None


@strawberry.type
@reached
class PointPack:
    """Points that an outside brand bought ahead."""

    id: strawberry.ID
    """Id of its line."""
    points: Decimal
    """How many."""
    currency: str
    """ISO 4217 code."""
    amount: Decimal
    """What the brand pays for them."""
    liability: Decimal
    """What of it stands against the points; the rest is earned at once."""
    bought_at: datetime
    """When."""


@strawberry.field
async def packs(root: strawberry.Parent[PartnerAgreement], info: RequestInfo) -> list[PointPack]:
    """Packs that the brand bought, the newest first, at most 100."""
    rows = await info.context.loaders.of(packs_of, NO_PACKS).load(root.key.id)
    places = (await info.context.setup()).places(root.key.unit or "") or 0
    return [shown_pack(row, places) for row in rows]


@strawberry.field
async def points_left(
    root: strawberry.Parent[PartnerAgreement], info: RequestInfo
) -> Decimal | None:
    """Points of packs that the brand may still give; null: it bought none."""
    left = await info.context.loaders.of(funds_of, NO_FUND).load(root.key.id)
    places = (await info.context.setup()).places(root.key.unit or "") or 0
    return None if left is None else Decimal(format_minor(left, places))


def shown_pack(row: Any, places: int) -> PointPack:
    money = currency_places(row["currency"]) or 0
    return PointPack(
        id=node_id(LINE, row["id"]),
        points=Decimal(format_minor(row["points"], places)),
        currency=row["currency"],
        amount=Decimal(format_minor(row["amount"], money)),
        liability=Decimal(format_minor(row["liability"], money)),
        bought_at=row["bought_at"],
    )


async def packs_of(connection: Connection, agreed: Sequence[UUID]) -> Mapping[UUID, Sequence[Any]]:
    """The newest packs of each agreement."""
    rows = await connection.fetch(
        """select p.* from unnest($1::uuid[]) w (id) cross join lateral (
             select * from loyalty.partners_pack p
              where p.tenant_id = (select loyalty.tenant()) and p.agreement_id = w.id
              order by p.bought_at desc, p.id limit 100) p""",
        list(agreed),
    )
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row["agreement_id"], []).append(row)
    return found


async def funds_of(connection: Connection, agreed: Sequence[UUID]) -> Mapping[UUID, int | None]:
    """What is left of each agreement's packs."""
    rows = await connection.fetch(
        """select agreement_id, points from loyalty.partners_fund
            where tenant_id = (select loyalty.tenant()) and agreement_id = any($1)""",
        list(agreed),
    )
    return {row["agreement_id"]: row["points"] for row in rows}
