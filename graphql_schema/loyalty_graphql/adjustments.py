"""Corrections of a balance by hand."""

import re
from dataclasses import replace
from datetime import datetime

import strawberry

from loyalty import journal, members
from loyalty.errors import Code, Refused
from loyalty.plugin import Connection
from loyalty.settlement.request import Recorded, moved
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money, reached
from loyalty_graphql.approvals import ApprovalRequest, shown_approval
from loyalty_graphql.balances import Balance, shown_balance
from loyalty_graphql.bulk_adjustments import caller
from loyalty_graphql.bulk_input import amount_of, order_of
from loyalty_graphql.bulk_shown import refusal_of
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.scalars import Decimal
from loyalty_graphql.units import unit_of
from loyalty_tenants.desk import approvals, bulk, reasons
from loyalty_tenants.desk.approvals import ApprovalKind
from loyalty_tenants.desk.orders import Bulk, Order, Wanted
from loyalty_tenants.desk.orders import command as commanded
from loyalty_tenants.desk.orders import replayed as same_order
from loyalty_tenants.desk.policy import policy
from loyalty_tenants.desk.reasons import Reason
from loyalty_tenants.principal import Role

REASON = re.compile(r"[A-Z][A-Z0-9_]{1,39}")


@strawberry.input
class AdjustBalanceInput:
    """What to correct, and why."""

    member: MemberRef
    """Whose."""
    unit: str
    """Code of the unit."""
    amount: Decimal
    """What to give; negative to take."""
    reason_code: str
    """Why, in the tenant's own capitals, such as GOODWILL; kept with the movement. Where the tenant
    lists reasons, one of them."""
    idempotency_key: str
    """A new UUID for each correction; sent again it gives the first answer."""
    note: str = ""
    """What else to know; members read it as the label. Empty: they read the reason's label."""
    expires_at: datetime | None = None
    """When what is given ends; null: as the reason says, or never."""
    allow_deficit: bool = False
    """Whether more may be taken than there is, to be repaid by the next grants."""


@strawberry.type
@reached
class AdjustBalancePayload:
    """A balance after its correction."""

    balance: Balance | None
    """As it is now; null where nothing was done, or not yet."""
    approval: ApprovalRequest | None
    """What a second person must approve first, where it is above the tenant's threshold."""
    replayed: bool
    """Whether this key was used before and this is the first answer."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class AdjustmentMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="balances:adjust")
    @money
    async def adjust_balance(
        self, info: RequestInfo, input: AdjustBalanceInput
    ) -> AdjustBalancePayload:
        """Correct a member's balance by hand.

        :param input: whose, how much and why
        """
        context = info.context
        done, refused = await attempted(_adjusted(context, input))
        if isinstance(done, Recorded):
            return await _paid(context, input.unit, done)
        if done is not None:
            return await _waiting(context, input.unit, *done)
        return AdjustBalancePayload(
            balance=None, approval=None, replayed=False, user_errors=user_errors(refused)
        )


async def _adjusted(context: Context, given: AdjustBalanceInput) -> Recorded | tuple[Bulk, bool]:
    """What was recorded; or the order that waits (or waited) for a second person."""
    unit = unit_of(await context.setup(), given.unit)
    if not REASON.fullmatch(given.reason_code):
        raise texts.bad("reasonCode", "write 2 to 40 capitals, digits and _, such as GOODWILL")
    note = given.note and texts.words(given.note, field="note", longest=1000)
    wanted = Wanted(
        member=member_ref(given.member), note=note, amount=amount_of(given.amount, unit, "amount")
    )
    if given.expires_at is not None and given.expires_at <= context.api.clock.now():
        raise texts.bad("expiresAt", "must lie in the future")
    key = texts.idempotency_key(given.idempotency_key)

    def order(reason: Reason | None) -> Order:
        return order_of(
            unit, given.reason_code, "", reason, [wanted],
            expires_at=given.expires_at, allow_deficit=given.allow_deficit,
        )  # fmt: skip

    api, client, now = context.api, context.who.client, context.api.clock.now()
    above = None
    async with api.database.tenant(context.tenant_id) as connection:
        first = await journal.command_input(connection, client, key)
        if first is None:
            if (known := await bulk.by_key(connection, client, key)) is not None:
                return same_order(known, order(None)), True
            asked = order(await reasons.listed(connection, given.reason_code))
            above = (await policy(connection)).above.get(unit.code)
            if above is not None and abs(wanted.amount) > above:
                return await _ask(context, connection, asked, wanted, key)
    command = commanded(order(None) if first is not None else asked, wanted, now)
    if first is not None:  # the list may have changed since: a replay is what was asked then
        command = replace(
            command, note=note or first.get("note", ""), expires_after=first.get("expires_after"),
            expires_end=first.get("expires_end", command.expires_end),
        )  # fmt: skip
    try:
        return await context.record(replace(context.request(command, key), alone_up_to=above))
    except Refused as refused:
        if refused.code is not Code.SECOND_PERSON_NEEDED:
            raise
    async with api.database.tenant(context.tenant_id) as connection:
        return await _ask(context, connection, asked, wanted, key)


async def _ask(
    context: Context, connection: Connection, asked: Order, wanted: Wanted, key: str
) -> tuple[Bulk, bool]:
    """Let it wait for a second person."""
    if await members.find(connection, wanted.member) is None:
        raise Refused(Code.MEMBER_NOT_FOUND, "there is no such member", field="member")
    now, kind = context.api.clock.now(), ApprovalKind.ADJUSTMENT
    return await bulk.place(
        connection, caller(context), asked, key=key, kind=kind, waits=True, now=now
    ), False


async def _paid(context: Context, code: str, done: Recorded) -> AdjustBalancePayload:
    unit = unit_of(await context.setup(), code)
    # Of whoever keeps the member's unit: that is what was corrected.
    key = next(one for one in moved(done.answer) if one[1] == unit.code)
    held = await context.loaders.holding.load(key)
    balance = shown_balance(unit, held, context.api.clock.now())
    return AdjustBalancePayload(
        balance=balance, approval=None, replayed=done.replayed, user_errors=[]
    )


async def _waiting(
    context: Context, code: str, placed: Bulk, replayed: bool
) -> AdjustBalancePayload:
    """What waits for a second person; once it was approved, what came of it."""
    api, now = context.api, context.api.clock.now()
    async with api.database.tenant(context.tenant_id, read_only=True) as connection:
        asked = await approvals.by_ids(connection, [placed.approval_id or placed.id])
        (item,) = await bulk.items(connection, placed.id, count=1)
    balance, setup = None, await context.setup()
    if item.fact_id is not None:
        fact = await context.loaders.fact.load(item.fact_id)
        assert fact is not None
        unit = unit_of(setup, code)
        key = next(one for one in moved(fact.answer) if one[1] == code)
        balance = shown_balance(unit, await context.loaders.holding.load(key), now)
    return AdjustBalancePayload(
        balance=balance,
        approval=next((shown_approval(one, now, setup) for one in asked.values()), None),
        replayed=replayed,
        user_errors=[] if item.refusal is None else [refusal_of(item.refusal)],
    )
