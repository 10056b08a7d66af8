"""Corrections of many members at once, and one that needs a second person."""

import csv
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import StringIO
from typing import Any, Self
from uuid import UUID

import strawberry

from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef as Ref
from loyalty.units import Unit, format_minor, parse_minor
from loyalty_graphql import texts
from loyalty_graphql.access import allow, batch, money, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.enums import exposed
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import node_id, uuid_of
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.paging import Connection
from loyalty_graphql.scalars import Csv, Decimal, Json
from loyalty_graphql.units import unit_of
from loyalty_tenants.desk import bulk, reasons, settling
from loyalty_tenants.desk.bulk import Bulk, BulkState, Caller, Item, ItemState, Order, Wanted
from loyalty_tenants.desk.policy import policy
from loyalty_tenants.principal import Role

NOTHING: Mapping[ItemState, tuple[int, int, int]] = {}
ITEMS_MAX = 10_000
ADJUSTMENTS_MAX = 500  # of them as a list in the input
AT_ONCE = 5  # slices that the request itself settles; a worker does the rest
PREVIEWED_MAX = 500  # outcomes that a preview shows

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


@strawberry.input
class AdjustmentItemInput:
    """One member's correction."""

    member: MemberRef
    """Whose."""
    amount: Decimal
    """What to give; negative to take."""
    note: str = ""
    """What else to know; members read it as the label."""


@strawberry.input
class AdjustBalancesInput:
    """Which members to correct, and why. Name `items` or `csv`."""

    unit: str
    """Code of the unit."""
    reason_code: str
    """Why: a reason of the tenant's list, where it has one."""
    idempotency_key: str
    """A new UUID for each order; sent again it gives the first answer."""
    items: list[AdjustmentItemInput] = strawberry.field(default_factory=list)
    """Up to 500 members."""
    csv: Csv | None = None
    """Up to 10,000 lines with the head `member,amount` or `member,amount,note`; members by their
    external ids."""
    note: str = ""
    """What members read where an item has no note of its own; else the reason's label."""
    expires_at: datetime | None = None
    """When what is given ends; null: as the reason says, or never."""
    allow_deficit: bool = False
    """Whether more may be taken than there is, to be repaid by the next grants."""


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
        return _totals(by_state.get(state, (0, 0, 0)), self.of)

    @classmethod
    def shown(cls, found: Bulk, unit: Unit) -> Self:
        return cls(
            id=node_id("BulkAdjustment", found.id), state=found.state, unit=found.unit,
            reason_code=found.reason_code, asked_by=found.actor, created_at=found.created_at,
            effective_at=found.effective_at, done_at=found.done_at,
            asked=_totals((found.items, found.gives, found.takes), unit), bulk=found, of=unit,
        )  # fmt: skip


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


async def shown_bulk(context: Context, bulk_id: UUID) -> BulkAdjustment | None:
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        found = await bulk.by_id(connection, bulk_id)
    if found is None:
        return None
    return BulkAdjustment.shown(found, unit_of(await context.setup(), found.unit))


async def settled(context: Context, bulk_id: UUID) -> None:
    """Carry out what is small. What fails here a worker finds again."""
    api, now = context.api, context.api.clock.now()
    for _ in range(AT_ONCE + 1):
        try:
            if not await settling.settle_slice(
                api.database, api.lanes.record_many, context.tenant_id, bulk_id, now
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
    unit, wanted = await _asked(context, given)
    async with context.api.database.tenant(context.tenant_id) as connection:
        if (known := await bulk.by_key(connection, context.who.client, key)) is not None:
            return bulk.replayed(known, _order(given, unit, wanted, None)), True
        reason = await reasons.listed(connection, given.reason_code)
        order = _order(given, unit, wanted, reason)
        now = context.api.clock.now()
        placed = await bulk.place(connection, caller(context), order, key=key, now=now)
        return placed, False


async def _previewed(context: Context, given: AdjustBalancesInput) -> AdjustBalancesPreview:
    unit, wanted = await _asked(context, given)
    now = context.api.clock.now()
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        reason = await reasons.listed(connection, given.reason_code)
        rule = await policy(connection)
    order = _order(given, unit, wanted, reason)
    requests = [context.request(bulk.command(order, item, now)) for item in wanted]
    outcomes = await context.api.recorder.preview_many(context.tenant_id, requests)
    refused = [
        (index, outcome) for index, outcome in enumerate(outcomes) if isinstance(outcome, Refused)
    ]
    out = {index for index, _ in refused}
    kept = [item.amount for index, item in enumerate(wanted) if index not in out]
    above = rule.above.get(unit.code)
    return AdjustBalancesPreview(
        asked=_totals((len(wanted), order.gives, order.takes), unit),
        accepted=_totals(
            (len(kept), sum(n for n in kept if n > 0), -sum(n for n in kept if n < 0)), unit
        ),
        needs_approval=above is not None and order.gives + order.takes > above,
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


async def _asked(context: Context, given: AdjustBalancesInput) -> tuple[Unit, list[Wanted]]:
    unit = unit_of(await context.setup(), given.unit)
    if bool(given.items) == (given.csv is not None):
        raise texts.bad("items", "name items, or csv: one of them")
    wanted = _of_csv(given.csv, unit) if given.csv is not None else _of_items(given.items, unit)
    if not 1 <= len(wanted) <= ITEMS_MAX:
        raise texts.bad("csv", f"must name 1 to {ITEMS_MAX:,} members")
    return unit, wanted


def _order(
    given: AdjustBalancesInput, unit: Unit, wanted: Sequence[Wanted], reason: reasons.Reason | None
) -> Order:
    note = given.note and texts.words(given.note, field="note", longest=1000)
    return order_of(
        unit, given.reason_code, note, reason, wanted,
        expires_at=given.expires_at, allow_deficit=given.allow_deficit,
    )  # fmt: skip


def order_of(
    unit: Unit,
    reason_code: str,
    note: str,
    reason: reasons.Reason | None,
    wanted: Sequence[Wanted],
    *,
    expires_at: datetime | None,
    allow_deficit: bool,
) -> Order:
    """What was asked for, with what the reason says where the caller does not."""
    given: Mapping[str, Any] = {}
    if reason is not None and expires_at is None:
        given = {"expires_after": reason.expires_after, "expires_end": reason.expires_end.value}
    return Order(
        unit=unit.code, reason_code=reason_code,
        label=note or (reason.label if reason else reason_code), items=wanted,
        expires_at=expires_at, allow_deficit=allow_deficit, **given,
    )  # fmt: skip


def _of_items(items: Sequence[AdjustmentItemInput], unit: Unit) -> list[Wanted]:
    return [
        Wanted(
            member=member_ref(item.member, f"items.{index}.member"),
            amount=amount_of(item.amount, unit, f"items.{index}.amount"),
            note=item.note and texts.words(item.note, field=f"items.{index}.note", longest=1000),
        )
        for index, item in enumerate(items)
    ]


def _of_csv(text: str, unit: Unit) -> list[Wanted]:
    """:raises Refused: BAD_USER_INPUT or BAD_AMOUNT with the line, as `csv.7.amount`"""
    reader = csv.reader(StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise texts.bad(f"csv.{reader.line_num}", f"is no CSV: {error}") from None
    if not rows or rows[0][1] not in (["member", "amount"], ["member", "amount", "note"]):
        raise texts.bad("csv.1", "begin with the head member,amount or member,amount,note")
    if len(rows) - 1 > ITEMS_MAX:
        raise texts.bad("csv", f"must name 1 to {ITEMS_MAX:,} members")
    columns, wanted = len(rows[0][1]), []
    for line, row in rows[1:]:
        if len(row) != columns:
            raise texts.bad(f"csv.{line}", f"must have {columns} columns, as its head")
        note = row[2].strip() if columns == 3 else ""
        wanted.append(
            Wanted(
                member=Ref(external_id=texts.name(row[0].strip(), field=f"csv.{line}.member")),
                amount=amount_of(row[1].strip(), unit, f"csv.{line}.amount"),
                note=note and texts.words(note, field=f"csv.{line}.note", longest=1000),
            )
        )
    return wanted


def amount_of(text: str, unit: Unit, field: str) -> int:
    amount = parse_minor(text, unit.places, field=field, signed=True)
    if amount == 0:
        raise texts.bad_amount(field, "must not be nothing")
    return amount


def _totals(counted: tuple[int, int, int], unit: Unit) -> AdjustmentTotals:
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
