"""A member's subscriptions: where each stands, what it costs, what was paid."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.setup import Program, Setup
from loyalty_graphql.access import reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.enums import exposed
from loyalty_graphql.members import Member
from loyalty_subscriptions.config import SubscriptionsConfig
from loyalty_subscriptions.graphql.plans import (
    SubscriptionAmount,
    SubscriptionPerk,
    in_points,
    money,
    shown_perk,
    shown_price,
)
from loyalty_subscriptions.graphql.programs import offered
from loyalty_subscriptions.periods import FOREVER
from loyalty_subscriptions.rows import PaymentRow
from loyalty_subscriptions.standing import leading
from loyalty_subscriptions.subscription import (
    Grace,
    Provider,
    Status,
    Subscription,
    entitled_until,
    status_at,
)
from loyalty_subscriptions.tables import of_members, payments_of

NONE: Sequence[Any] = ()

SubscriptionStatus = exposed(
    Status,
    name="SubscriptionStatus",
    description="Where a subscription stands.",
    values={
        Status.PENDING: "Asked for; its first fee is not paid.",
        Status.TRIALING: "On its free trial.",
        Status.ACTIVE: "Paid, free, or given for nothing.",
        Status.PAST_DUE: "The fee of the next period is not paid, and may still be.",
        Status.PAUSED: "It rests: no benefits, no fees.",
        Status.CANCELLED_AT_PERIOD_END: "It runs until its period ends, and does not renew.",
        Status.EXPIRED: "It is over.",
    },
)
SubscriptionProvider = exposed(
    Provider,
    name="SubscriptionProvider",
    description="Who takes the fee, and so who says that it is paid.",
    values={
        Provider.EXTERNAL: "The shop, through `recordSubscriptionPayment`.",
        Provider.STRIPE: "Stripe, through its webhooks.",
        Provider.POINTS: "Nobody: points are burnt.",
        Provider.FREE: "There is no fee.",
        Provider.COMP: "Staff gave it for nothing.",
    },
)


@strawberry.type
@reached
class SubscriptionPayment:
    """A fee that was paid."""

    invoice: str
    """The provider's own id of it."""
    plan: str
    """Id of the plan it was for."""
    paid: SubscriptionAmount
    """What was paid."""
    refunded: SubscriptionAmount
    """What of it was given back, or is to be."""
    starts_at: datetime | None
    """The begin of the period it is for."""
    ends_at: datetime | None
    """The end of that period; null: for life."""
    paid_at: datetime | None
    """When it was paid; null: only its refund is known."""


@strawberry.type
@reached
class MemberSubscription:
    """A subscription of a member."""

    program: str
    """Slug of the program."""
    plan: str
    """Id of its plan."""
    label: str
    """What members read; the id of a plan that is no more."""
    status: Status
    """Where it stands now."""
    leads: bool
    """Whether its benefits are those that the member has: of several the best plan counts."""
    provider: Provider
    """Who takes the fee."""
    reference: str
    """The provider's own id of it; empty where it has none."""
    started_at: datetime
    """When it began."""
    until: datetime | None
    """The end of what is paid or on trial; null: for life, or nothing was paid yet."""
    benefits_until: datetime | None
    """When its benefits end, as far as is known now; null: never, or it has none."""
    expires_at: datetime | None
    """When it expires unless its fee is paid; null where nothing is past due or pending."""
    next_plan: str | None
    """The plan of the next period, where it is another one."""
    next_price: list[SubscriptionAmount]
    """What the next period costs as prices are known now; none: nothing, or it does not renew."""
    perks: list[SubscriptionPerk]
    """What comes with it and is no points; none while it has no benefits."""
    payments: list[SubscriptionPayment]
    """Fees that were paid, the newest first; the last 100 of the member."""


@strawberry.field
async def subscriptions(
    root: strawberry.Parent[Member], info: RequestInfo, program: str | None = None
) -> list[MemberSubscription]:
    """The member's subscriptions, also those that are over; the oldest first.

    :param program: slug of a program; default: all of them
    """
    return await shown(info.context, root.key, program)


async def shown(context: Context, member_id: UUID, only: str | None) -> list[MemberSubscription]:
    """What a member has of the programs in force, or of one of them."""
    setup, now = await context.setup(), context.api.clock.now()
    programs = [one for one in offered(setup, now) if only in (None, one[0].slug)]
    if not programs:
        return []
    kept = await context.loaders.of(of_members, NONE).load(member_id)
    paid = await context.loaders.of(payments_of, NONE).load(member_id)
    found: list[MemberSubscription] = []
    for program, config in programs:
        mine = [one for of, one in kept if of == program.id and one.plan]
        fees = [row for of, row in paid if of == program.id]
        found += _of_program(program, config, mine, fees, setup, now)
    return found


def _of_program(
    program: Program, config: SubscriptionsConfig, mine: Sequence[Subscription],
    fees: Sequence[PaymentRow], setup: Setup, now: datetime,
) -> list[MemberSubscription]:  # fmt: skip
    first = leading(config, mine, now, config.dunning.grace(setup.zone))
    return [
        _shown(
            program, config, one, [fee for fee in fees if _is_of(fee, one)], setup, now,
            leads=one is first,
        )
        for one in mine
    ]  # fmt: skip


def _shown(
    program: Program, config: SubscriptionsConfig, one: Subscription, fees: Sequence[PaymentRow],
    setup: Setup, now: datetime, *, leads: bool,
) -> MemberSubscription:  # fmt: skip
    grace, plan = config.dunning.grace(setup.zone), config.plans_by_id.get(one.plan)
    entitled, status = entitled_until(one, now, grace), status_at(one, now, grace)
    return MemberSubscription(
        program=program.slug,
        plan=one.plan,
        label=plan.label if plan else one.plan,
        status=status,
        leads=leads and entitled is not None,
        provider=one.provider,
        reference=one.reference,
        started_at=one.started_at,
        until=_shown_end(one.covered_until),
        benefits_until=_shown_end(entitled),
        expires_at=_expires_at(one, status, grace),
        next_plan=one.next_plan,
        next_price=_next_price(config, one, setup),
        perks=[shown_perk(perk) for perk in plan.perks] if plan and entitled else [],
        payments=[_payment(row, setup) for row in fees],
    )


def _expires_at(one: Subscription, status: Status, grace: Grace) -> datetime | None:
    if status not in (Status.PAST_DUE, Status.PENDING):
        return None
    return _shown_end(grace.end(one.covered_until or one.started_at))


def _next_price(
    config: SubscriptionsConfig, one: Subscription, setup: Setup
) -> list[SubscriptionAmount]:
    plan, until = config.plans_by_id.get(one.next_plan or one.plan), one.covered_until
    if plan is None or until in (None, FOREVER) or not one.renews or until is None:
        return []
    started = until if plan.id != one.plan else one.started_at
    return shown_price(config, plan.renewal_price(started, until, setup.zone), setup)


def _payment(row: PaymentRow, setup: Setup) -> SubscriptionPayment:
    def amount(minor: int) -> SubscriptionAmount:
        if row.provider == Provider.POINTS:
            return in_points(minor, row.paid_in, setup)
        return money(row.paid_in, minor)

    return SubscriptionPayment(
        invoice=row.invoice,
        plan=row.plan,
        paid=amount(row.amount if row.paid_at else 0),
        refunded=amount(row.refunded),
        starts_at=row.starts_at,
        ends_at=_shown_end(row.ends_at),
        paid_at=row.paid_at,
    )


def _is_of(fee: PaymentRow, one: Subscription) -> bool:
    return (fee.provider, fee.reference) == one.key


def _shown_end(end: datetime | None) -> datetime | None:
    return None if end == FOREVER else end
