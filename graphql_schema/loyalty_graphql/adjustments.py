"""Corrections of a balance by hand."""

import re
from datetime import datetime

import strawberry

from loyalty.commands import AdjustBalance
from loyalty.settlement.request import Recorded, moved
from loyalty.units import parse_minor
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money, reached
from loyalty_graphql.balances import Balance, shown_balance
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.scalars import Decimal
from loyalty_graphql.units import unit_of
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
    """Why, in the tenant's own capitals, such as GOODWILL; kept with the movement."""
    idempotency_key: str
    """A new UUID for each correction; sent again it gives the first answer."""
    note: str = ""
    """What else to know; members read it as the label."""
    expires_at: datetime | None = None
    """When what is given ends; null: never."""
    allow_deficit: bool = False
    """Whether more may be taken than there is, to be repaid by the next grants."""


@strawberry.type
@reached
class AdjustBalancePayload:
    """A balance after its correction."""

    balance: Balance | None
    """As it is now; null where nothing was done."""
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
        if done is None:
            return AdjustBalancePayload(
                balance=None, replayed=False, user_errors=user_errors(refused)
            )
        unit = unit_of(await context.setup(), input.unit)
        # Of whoever keeps the member's unit: that is what was corrected.
        key = next(one for one in moved(done.answer) if one[1] == unit.code)
        held = await context.loaders.holding.load(key)
        balance = shown_balance(unit, held, context.api.clock.now())
        return AdjustBalancePayload(balance=balance, replayed=done.replayed, user_errors=[])


async def _adjusted(context: Context, given: AdjustBalanceInput) -> Recorded:
    unit = unit_of(await context.setup(), given.unit)
    if not REASON.fullmatch(given.reason_code):
        raise texts.bad("reasonCode", "write 2 to 40 capitals, digits and _, such as GOODWILL")
    command = AdjustBalance(
        member=member_ref(given.member),
        occurred_at=context.api.clock.now(),
        unit=unit.code,
        amount=parse_minor(given.amount, unit.places, field="amount", signed=True),
        reason_code=given.reason_code,
        note=given.note and texts.words(given.note, field="note", longest=1000),
        expires_at=given.expires_at,
        allow_deficit=given.allow_deficit,
    )
    key = texts.idempotency_key(given.idempotency_key)
    return await context.record(context.request(command, key))
