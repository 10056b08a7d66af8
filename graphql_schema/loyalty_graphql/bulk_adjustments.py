"""Corrections of many members at once, previewed and placed."""

from dataclasses import replace
from functools import partial
from uuid import UUID

import strawberry

from loyalty.errors import Refused
from loyalty.units import format_minor
from loyalty_graphql import texts
from loyalty_graphql.access import allow, batch, changes_nothing, money, reached
from loyalty_graphql.bulk_input import AdjustBalancesInput, asked, order_as_given
from loyalty_graphql.bulk_shown import (
    AdjustmentOutcome,
    AdjustmentTotals,
    BulkAdjustment,
    shown_bulk,
    totals,
)
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import uuid_of
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.paging import Connection
from loyalty_graphql.scalars import Decimal
from loyalty_tenants.desk import bulk, reasons, settling
from loyalty_tenants.desk.orders import Bulk, Caller, ItemState, command
from loyalty_tenants.desk.orders import replayed as same_order
from loyalty_tenants.desk.policy import policy
from loyalty_tenants.principal import Role

AT_ONCE = 5  # slices that the request itself settles; a worker does the rest
PREVIEWED_MAX = 500  # outcomes that a preview shows


@strawberry.type
@reached
class AdjustBalancesPayload:
    """Corrections that were asked for."""

    bulk_adjustment: BulkAdjustment | None
    """As they are now; null where nothing was done. State WAITING: a second person must approve."""
    replayed: bool
    """Whether this key was used before and this is the first order."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
@reached
class AdjustBalancesPreview:
    """What corrections would come to."""

    asked: AdjustmentTotals | None
    """What is asked for; null where it cannot be read."""
    accepted: AdjustmentTotals | None
    """What of it would be recorded now."""
    needs_approval: bool
    """Whether a second person would have to approve it."""
    outcomes: list[AdjustmentOutcome]
    """What would be refused, at most 500 of it, each with its reason."""
    user_errors: list[UserError]
    """Why nothing could be done; empty where it could."""


@strawberry.type
class BulkAdjustmentQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="balances:adjust")
    async def bulk_adjustments(
        self,
        info: RequestInfo,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[BulkAdjustment]:
        """Corrections that were asked for at once, and those that need a second person, newest
        first.

        :param first: how many, at most 100
        :param after: a cursor of this list
        :param last: how many from the end, at most 100
        :param before: a cursor of this list
        """
        context, setup = info.context, await info.context.setup()
        page = context.api.paging.page(
            context.tenant_id, "Query.bulkAdjustments",
            first=first, after=after, last=last, before=before,
        )  # fmt: skip
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await bulk.page(
                connection, count=page.fetch, backward=page.backward,
                beyond=UUID(str(page.beyond[0])) if page.beyond else None,
            )  # fmt: skip
        return context.api.paging.connection(
            page, found, node=lambda one: BulkAdjustment.shown(one, setup.units[one.unit]),
            position=lambda one: (str(one.id),),
        )  # fmt: skip

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="balances:adjust")
    async def bulk_adjustment(self, info: RequestInfo, id: strawberry.ID) -> BulkAdjustment | None:
        """Corrections by their id; null where there are none.

        :param id: of the corrections
        """
        return await shown_bulk(info.context, uuid_of(id, "BulkAdjustment", field="id"))


@strawberry.type
class BulkAdjustmentMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="balances:adjust")
    @batch
    @changes_nothing
    async def preview_adjust_balances(
        self, info: RequestInfo, input: AdjustBalancesInput
    ) -> AdjustBalancesPreview:
        """What `adjustBalances` would do with the same input. Nothing is recorded, and no key is
        used.

        :param input: whose, how much and why
        """
        previewed, refused = await attempted(_previewed(info.context, input))
        if previewed is not None:
            return previewed
        return AdjustBalancesPreview(
            asked=None, accepted=None, needs_approval=False, outcomes=[],
            user_errors=user_errors(refused),
        )  # fmt: skip

    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="balances:adjust")
    @money
    @batch
    async def adjust_balances(
        self, info: RequestInfo, input: AdjustBalancesInput
    ) -> AdjustBalancesPayload:
        """Correct many members. Up to 500 are recorded before it answers, the others by a worker;
        each has its own outcome, and none holds up the others.

        :param input: whose, how much and why
        """
        context = info.context
        done, refused = await attempted(_placed(context, input))
        if done is None:
            return AdjustBalancesPayload(
                bulk_adjustment=None, replayed=False, user_errors=user_errors(refused)
            )
        placed, replayed = done
        await settled(context, placed.id)
        shown = await shown_bulk(context, placed.id)
        return AdjustBalancesPayload(bulk_adjustment=shown, replayed=replayed, user_errors=[])


async def settled(context: Context, bulk_id: UUID) -> None:
    """Carry out what is small. What fails here a worker finds again."""
    api, now = context.api, context.api.clock.now()
    record = partial(api.lanes.record_many, context.tenant_id)
    for _ in range(AT_ONCE + 1):
        try:
            if not await settling.settle_slice(
                api.database, record, context.tenant_id, bulk_id, now
            ):
                break
        except (Refused, RuntimeError):
            break
    context.written()


def caller(context: Context) -> Caller:
    return Caller(
        actor=context.actor, client=context.who.client, name=context.actor_name,
        operator=context.who.role is Role.OPERATOR,
    )  # fmt: skip


async def _placed(context: Context, given: AdjustBalancesInput) -> tuple[Bulk, bool]:
    key = texts.idempotency_key(given.idempotency_key)
    unit, wanted = await asked(context, given)
    async with context.api.database.tenant(context.tenant_id) as connection:
        if (known := await bulk.by_key(connection, context.who.client, key)) is not None:
            return same_order(known, order_as_given(given, unit, wanted, None)), True
        reason = await reasons.listed(connection, given.reason_code)
        order = order_as_given(given, unit, wanted, reason)
        now = context.api.clock.now()
        placed = await bulk.place(connection, caller(context), order, key=key, now=now)
        return placed, False


async def _previewed(context: Context, given: AdjustBalancesInput) -> AdjustBalancesPreview:
    texts.idempotency_key(given.idempotency_key)  # what is seen can be done as it stands
    unit, wanted = await asked(context, given)
    now = context.api.clock.now()
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        reason = await reasons.listed(connection, given.reason_code)
        rule = await policy(connection)
    order = order_as_given(given, unit, wanted, reason)
    above = rule.above.get(unit.code)
    waits = above is not None and order.gives + order.takes > above
    alone = None if waits else above
    requests = [
        replace(context.request(command(order, item, now)), alone_up_to=alone) for item in wanted
    ]
    outcomes = await context.api.recorder.preview_many(context.tenant_id, requests)
    refused = [
        (index, outcome) for index, outcome in enumerate(outcomes) if isinstance(outcome, Refused)
    ]
    out = {index for index, _ in refused}
    kept = [item.amount for index, item in enumerate(wanted) if index not in out]
    return AdjustBalancesPreview(
        asked=totals((len(wanted), order.gives, order.takes), unit),
        accepted=totals(
            (len(kept), sum(n for n in kept if n > 0), -sum(n for n in kept if n < 0)), unit
        ),
        needs_approval=waits,
        outcomes=[
            AdjustmentOutcome(
                index=index, external_id=wanted[index].member.external_id,
                amount=Decimal(format_minor(wanted[index].amount, unit.places)),
                state=ItemState.REFUSED, user_errors=user_errors([one]),
            )
            for index, one in refused[:PREVIEWED_MAX]
        ],
        user_errors=[],
    )  # fmt: skip
