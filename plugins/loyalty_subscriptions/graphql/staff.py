"""What staff alone do: give a subscription for nothing, give a fee back."""

from collections.abc import Mapping
from datetime import datetime

import strawberry

from loyalty.errors import Code, Refused
from loyalty.settlement.request import Recorded
from loyalty.units import currency_places, parse_minor
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.member_ref import MemberRef
from loyalty_graphql.scalars import Decimal
from loyalty_subscriptions.commands import Comp, GiveBack
from loyalty_subscriptions.graphql.commands import REASON_MAX, recorded
from loyalty_subscriptions.graphql.payload import SubscriptionPayload, answered
from loyalty_subscriptions.graphql.payments import LONGEST
from loyalty_tenants import audit
from loyalty_tenants.principal import Role


@strawberry.input
class CompSubscriptionInput:
    """Who is given a plan for nothing, and why."""

    member: MemberRef
    """Who."""
    program: str
    """Slug of the program."""
    plan: str
    """Id of the plan."""
    reason: str
    """Why; kept, and told with the fact."""
    idempotency_key: str
    """A new UUID for each command; sent again it gives the first answer."""
    until: datetime | None = None
    """Until when; null: for life."""


@strawberry.input
class RefundSubscriptionInput:
    """Whose last fee is given back, and how much of it."""

    member: MemberRef
    """Whose."""
    program: str
    """Slug of the program."""
    reason: str
    """Why; kept, and told with the fact."""
    idempotency_key: str
    """A new UUID for each command; sent again it gives the first answer."""
    amount: Decimal | None = None
    """How much; null: what the program's policy would give back if it ended now."""
    currency: str | None = None
    """The currency that the amount is in (the unit, of a fee in points); with an amount alone."""


@strawberry.type
class StaffMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="balances:adjust")
    @money
    async def comp_subscription(
        self, info: RequestInfo, input: CompSubscriptionInput
    ) -> SubscriptionPayload:
        """Give a member a plan for nothing, beside what they pay for. The last word stands.

        :param input: who, which plan, and why
        """
        return await answered(info.context, input.program, _comped(info.context, input))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="balances:adjust")
    @money
    async def refund_subscription(
        self, info: RequestInfo, input: RefundSubscriptionInput
    ) -> SubscriptionPayload:
        """Give a member's last fee back, or a part of it; the subscription goes on. Points are
        given back at once; of money the webhook `subscriptions.refund_due.v1` tells the shop.

        :param input: whose, how much, and why
        """
        return await answered(info.context, input.program, _refunded(info.context, input))


async def _comped(context: Context, given: CompSubscriptionInput) -> Recorded:
    reason = texts.words(given.reason, field="reason", longest=REASON_MAX)
    if given.until is not None and given.until > context.api.clock.now() + LONGEST:
        raise Refused(
            Code.BAD_USER_INPUT, "is too far away: leave out what never ends", field="until"
        )
    done = await recorded(context, given, Comp, plan=given.plan, until=given.until, reason=reason)
    details = {"plan": given.plan, "until": given.until and given.until.isoformat()}
    await _noted(context, given, done, "subscription.comp", {**details, "reason": reason})
    return done


async def _refunded(context: Context, given: RefundSubscriptionInput) -> Recorded:
    reason = texts.words(given.reason, field="reason", longest=REASON_MAX)
    amount = await _amount(context, given)
    done = await recorded(context, given, GiveBack, amount=amount, reason=reason)
    details = {"amount": given.amount, "currency": given.currency, "reason": reason}
    await _noted(context, given, done, "subscription.refund", details)
    return done


async def _amount(context: Context, given: RefundSubscriptionInput) -> int | None:
    if given.amount is None:
        return None
    if given.currency is None:
        raise Refused(Code.BAD_USER_INPUT, "name what the amount is in", field="currency")
    places = (await context.setup()).places(given.currency)
    if places is None:
        places = currency_places(given.currency)
    if places is None:
        raise Refused(Code.BAD_USER_INPUT, "is no currency and no unit", field="currency")
    return parse_minor(given.amount, places, field="amount")


async def _noted(
    context: Context,
    given: CompSubscriptionInput | RefundSubscriptionInput,
    done: Recorded,
    action: str,
    details: Mapping[str, object],
) -> None:
    """In the audit trail, once."""
    if done.replayed:
        return
    async with context.api.database.tenant(context.tenant_id) as connection:
        await audit.write(
            connection, context.actor, action=action, subject=f"member:{done.member_id}",
            details={"program": given.program, **details}, now=context.api.clock.now(),
        )  # fmt: skip
