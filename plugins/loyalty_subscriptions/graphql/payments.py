"""What the shop tells of payments that it takes itself."""

from datetime import datetime, timedelta

import strawberry

from loyalty.errors import Code, Refused
from loyalty.settlement.request import Recorded
from loyalty.units import currency_places, parse_minor
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.enums import exposed
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.scalars import Decimal
from loyalty_subscriptions.facts import Outcome, PaymentReported
from loyalty_subscriptions.graphql.payload import SubscriptionPayload, answered
from loyalty_subscriptions.graphql.programs import named
from loyalty_subscriptions.subscription import Provider
from loyalty_tenants.principal import Role

ATTEMPTS_MAX = 1_000
LONGEST = timedelta(days=366 * 100)

PaymentOutcome = exposed(
    Outcome,
    name="SubscriptionPaymentOutcome",
    description="What became of a payment.",
    values={
        Outcome.PAID: "The fee was paid.",
        Outcome.FAILED: "The fee could not be taken.",
        Outcome.REFUNDED: "The fee was given back, or a part of it; `amount` is all so far.",
    },
)


@strawberry.input
class RecordSubscriptionPaymentInput:
    """A fee that the shop took, could not take, or gave back."""

    member: MemberRef
    """Who pays."""
    program: str
    """Slug of the program."""
    plan: str
    """Id of the plan that it is for."""
    invoice: str
    """Your own id of the payment, kept for ever: told again it is a replay. A refund names the
    invoice that was paid."""
    amount: Decimal
    """How much; of a refund all that was given back so far."""
    currency: str
    """ISO 4217 code."""
    occurred_at: datetime
    """When it happened."""
    outcome: Outcome = Outcome.PAID
    """What became of it."""
    starts_at: datetime | None = None
    """The begin of the period that it is for; null: the period that comes next."""
    ends_at: datetime | None = None
    """The end of that period; null: as the plan's period says."""
    attempt: int = 1
    """Of a payment that failed: for the how-manieth time."""


@strawberry.type
class PaymentMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="purchases:write")
    @money
    async def record_subscription_payment(
        self, info: RequestInfo, input: RecordSubscriptionPaymentInput
    ) -> SubscriptionPayload:
        """Tell of a fee that the shop took, could not take, or gave back. The first one that is
        paid begins the subscription. In any order; each invoice pays for one period.

        :param input: who, for which plan, how much
        """
        return await answered(info.context, input.program, _recorded(info.context, input))


async def _recorded(context: Context, given: RecordSubscriptionPaymentInput) -> Recorded:
    setup, program, config = await named(context, given.program)
    now = context.api.clock.now()
    if given.plan not in config.plans_by_id:
        raise Refused(
            Code.NOT_FOUND, "the program has no such plan", field="plan",
            details={"known": [plan.id for plan in config.plans]},
        )  # fmt: skip
    if (places := currency_places(given.currency)) is None:
        raise Refused(Code.BAD_USER_INPUT, "is not an ISO 4217 currency code", field="currency")
    if given.occurred_at > now + setup.ahead:
        raise Refused(
            Code.TOO_EARLY, "lies in the future: check the sender's clock", field="occurredAt"
        )
    if given.occurred_at < now - setup.backdating:
        raise Refused(
            Code.TOO_LATE,
            "lies before the tenant's backdating window: widen that to record what is older",
            field="occurredAt",
        )
    if given.ends_at is not None and given.ends_at <= (given.starts_at or given.occurred_at):
        raise Refused(Code.BAD_USER_INPUT, "must lie after the period's begin", field="endsAt")
    if given.ends_at is not None and given.ends_at > now + LONGEST:
        raise Refused(
            Code.BAD_USER_INPUT, "is too far away: leave out what never ends", field="endsAt"
        )
    if not 1 <= given.attempt <= ATTEMPTS_MAX:
        raise Refused(Code.BAD_USER_INPUT, f"is 1 to {ATTEMPTS_MAX}", field="attempt")
    fact = PaymentReported(
        member=member_ref(given.member),
        occurred_at=given.occurred_at,
        program=program.slug,
        provider=Provider.EXTERNAL,
        invoice=texts.name(given.invoice, field="invoice"),
        outcome=given.outcome,
        plan=given.plan,
        amount=parse_minor(given.amount, places, field="amount"),
        currency=given.currency,
        starts_at=given.starts_at,
        ends_at=given.ends_at,
        attempt=given.attempt,
    )
    return await context.record(context.request(fact))
