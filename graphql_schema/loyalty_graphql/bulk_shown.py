"""Corrections of many members as clients see them: how far they are, and what came of each."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import strawberry

from loyalty.errors import Code
from loyalty.units import Unit, format_minor
from loyalty_graphql.access import reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.enums import exposed
from loyalty_graphql.failures import UserError
from loyalty_graphql.ids import node_id
from loyalty_graphql.paging import Connection
from loyalty_graphql.scalars import Decimal, Json
from loyalty_graphql.units import unit_of
from loyalty_tenants.desk import bulk
from loyalty_tenants.desk.orders import Bulk, BulkState, Item, ItemState

NOTHING: Mapping[ItemState, tuple[int, int, int]] = {}

exposed(
    BulkState,
    name="BulkAdjustmentState",
    description="How far corrections have come.",
    values={
        BulkState.WAITING: "They wait for a second person.",
        BulkState.RUNNING: "They are being recorded.",
        BulkState.DONE: "Each is recorded or refused.",
        BulkState.CANCELLED: "They were not approved; nothing was recorded.",
    },
)
exposed(
    ItemState,
    name="AdjustmentItemState",
    description="What came of one correction.",
    values={
        ItemState.WAITING: "It was not looked at yet.",
        ItemState.DONE: "It is recorded.",
        ItemState.REFUSED: "It was refused; the others are not held up by it.",
    },
)


@strawberry.type
@reached
class AdjustmentTotals:
    """So many corrections, and what they come to."""

    items: int
    """How many."""
    gives: Decimal
    """What they give, together."""
    takes: Decimal
    """What they take, together."""


@strawberry.type
@reached
class AdjustmentOutcome:
    """One correction of an order."""

    index: int
    """Its place in the order, from 0."""
    external_id: str | None
    """The member by external id, where it was named by one."""
    amount: Decimal
    """What to give; negative to take."""
    state: ItemState
    """What came of it."""
    user_errors: list[UserError]
    """Why it was refused; empty where it was not."""


@strawberry.type
@reached
class BulkAdjustment:
    """Corrections that were asked for at once."""

    id: strawberry.ID
    """Opaque and globally unique."""
    state: BulkState
    """How far they have come."""
    unit: str
    """Code of the unit."""
    reason_code: str
    """Why."""
    asked_by: str
    """Who asked."""
    created_at: datetime
    """When they were asked for."""
    effective_at: datetime | None
    """The instant at which they happen; null while they wait for a second person."""
    done_at: datetime | None
    """When the last one was looked at."""
    asked: AdjustmentTotals
    """What was asked for."""
    bulk: strawberry.Private[Bulk]
    of: strawberry.Private[Unit]

    @strawberry.field
    async def done(self, info: RequestInfo) -> AdjustmentTotals:
        """What is recorded so far."""
        return await self._counted(info.context, ItemState.DONE)

    @strawberry.field
    async def refused(self, info: RequestInfo) -> AdjustmentTotals:
        """What was refused so far."""
        return await self._counted(info.context, ItemState.REFUSED)

    @strawberry.field
    async def outcomes(
        self,
        info: RequestInfo,
        state: ItemState | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[AdjustmentOutcome]:
        """Its corrections in their order.

        :param state: only those of a state, such as REFUSED
        :param first: how many, at most 100
        :param after: a cursor of this list
        """
        context = info.context
        field = f"BulkAdjustment.outcomes:{self.bulk.id}:{state}"
        page = context.api.paging.page(context.tenant_id, field, first=first, after=after)
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await bulk.items(
                connection, self.bulk.id, state=state, count=page.fetch,
                beyond=int(page.beyond[0] or 0) if page.beyond else None,
            )  # fmt: skip
        return context.api.paging.connection(
            page, found, node=lambda one: _outcome(one, self.of),
            position=lambda one: (one.seq,),
        )  # fmt: skip

    async def _counted(self, context: Context, state: ItemState) -> AdjustmentTotals:
        by_state = await context.loaders.of(bulk.totals, NOTHING).load(self.bulk.id)
        return totals(by_state.get(state, (0, 0, 0)), self.of)

    @classmethod
    def shown(cls, found: Bulk, unit: Unit) -> Self:
        return cls(
            id=node_id("BulkAdjustment", found.id), state=found.state, unit=found.unit,
            reason_code=found.reason_code, asked_by=found.actor, created_at=found.created_at,
            effective_at=found.effective_at, done_at=found.done_at,
            asked=totals((found.items, found.gives, found.takes), unit), bulk=found, of=unit,
        )  # fmt: skip


async def shown_bulk(context: Context, bulk_id: UUID) -> BulkAdjustment | None:
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        found = await bulk.by_id(connection, bulk_id)
    if found is None:
        return None
    return BulkAdjustment.shown(found, unit_of(await context.setup(), found.unit))


def totals(counted: tuple[int, int, int], unit: Unit) -> AdjustmentTotals:
    items, gives, takes = counted
    return AdjustmentTotals(
        items=items,
        gives=Decimal(format_minor(gives, unit.places)),
        takes=Decimal(format_minor(takes, unit.places)),
    )


def _outcome(item: Item, unit: Unit) -> AdjustmentOutcome:
    return AdjustmentOutcome(
        index=item.seq, external_id=item.member.external_id, state=item.state,
        amount=Decimal(format_minor(item.amount, unit.places)),
        user_errors=[] if item.refusal is None else [refusal_of(item.refusal)],
    )  # fmt: skip


def refusal_of(kept: Mapping[str, Any]) -> UserError:
    """A refusal as it was kept."""
    code = Code(kept["code"])
    details = kept.get("details")
    return UserError(
        code=code, field=kept["field"], message=kept["message"], retryable=code.retryable,
        details=Json(details) if details else None,
    )  # fmt: skip
