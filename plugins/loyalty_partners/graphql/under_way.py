"""Exchanges of which a partner elsewhere has not spoken yet, as the people see them who care."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import strawberry

from loyalty.setup import Setup
from loyalty_graphql import texts
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.paging import Connection
from loyalty_partners.graphql.exchanges import PartnerExchange, shown_exchange
from loyalty_partners.remote import write_off
from loyalty_tenants.principal import Role

HOURS_MAX = 24 * 366


@strawberry.type
@reached
class ExchangeWriteOff:
    """That an exchange is to be written off, or was."""

    reason: str
    """Why, as whoever asked for it wrote."""
    asked_by: str
    """Who asked for it."""
    asked_at: datetime
    """When."""
    approved_by: str | None
    """Who approved it; null: it waits for a second person."""
    approved_at: datetime | None
    """When."""


@strawberry.type
@reached
class ExchangeUnderWay:
    """An exchange of which it is not known what the partner did."""

    exchange: PartnerExchange
    """As it is now: PENDING, or WRITTEN_OFF."""
    attempts: int
    """How often the partner was asked since it last spoke, about."""
    giving_up: bool
    """Whether somebody asked to have it called off."""
    problem: str | None
    """Why the last attempt failed; null: nothing is known."""
    write_off: ExchangeWriteOff | None
    """Null: nobody asked for it."""


@strawberry.type
class UnderWayQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:read")
    async def exchanges_under_way(
        self, info: RequestInfo, older_than_hours: int = 0, first: int | None = None,
        after: str | None = None, last: int | None = None, before: str | None = None,
    ) -> Connection[ExchangeUnderWay]:  # fmt: skip
        """Exchanges whose points have left and of which the partner has not spoken yet, the oldest
        first.

        :param older_than_hours: only those that have waited for so long
        :param first: how many, at most 100
        :param after: a cursor of this list
        :param last: how many from the end, at most 100
        :param before: a cursor of this list
        """
        context = info.context
        if not 0 <= older_than_hours <= HOURS_MAX:
            raise texts.bad("olderThanHours", f"must be 0 to {HOURS_MAX} hours")
        page = context.api.paging.page(
            context.tenant_id, f"Query.exchangesUnderWay:{older_than_hours}", first=first,
            after=after, last=last, before=before,
        )  # fmt: skip
        # One that began in this very moment is under way as well.
        until = context.api.clock.now() - timedelta(hours=older_than_hours, microseconds=-1)
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            rows = await write_off.under_way(
                connection, before=until, beyond=_beyond(page.beyond), count=page.fetch,
                backward=page.backward,
            )  # fmt: skip
        setup = await context.setup()
        return context.api.paging.connection(
            page, rows, node=lambda row: _shown(row, setup),
            position=lambda row: (row["happened_at"].isoformat(), str(row["id"])),
        )  # fmt: skip


def _beyond(position: Any) -> tuple[datetime, UUID] | None:
    return position and (datetime.fromisoformat(position[0]), UUID(position[1]))


def _shown(row: Any, setup: Setup) -> ExchangeUnderWay:
    asked = None
    if row["asked_at"] is not None:
        asked = ExchangeWriteOff(
            reason=row["reason"], asked_by=row["asked_by"], asked_at=row["asked_at"],
            approved_by=row["approved_by"], approved_at=row["approved_at"],
        )  # fmt: skip
    return ExchangeUnderWay(
        exchange=shown_exchange(row, setup), attempts=row["attempts"], giving_up=row["giving_up"],
        problem=row["problem"], write_off=asked,
    )  # fmt: skip
