"""What members do with their subscriptions, or staff and shops for them."""

from typing import Any, TypeVar

import strawberry

from loyalty.settlement.request import Recorded
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_subscriptions.commands import Asked, Cancel, ChangePlan, Pause, Resume, Subscribe
from loyalty_subscriptions.graphql.payload import SubscriptionPayload, answered
from loyalty_subscriptions.graphql.programs import named
from loyalty_tenants.principal import Role

C = TypeVar("C", bound=Asked)
STAFF = (Role.ADMIN, Role.OPERATOR)
REASON_MAX = 500


@strawberry.input
class SubscribeInput:
    """Who subscribes, and to what."""

    member: MemberRef
    """Who."""
    program: str
    """Slug of the program."""
    plan: str
    """Id of the plan."""
    idempotency_key: str
    """A new UUID for each command; sent again it gives the first answer."""


@strawberry.input
class CancelSubscriptionInput:
    """Whose subscription ends, and when."""

    member: MemberRef
    """Whose."""
    program: str
    """Slug of the program."""
    idempotency_key: str
    """A new UUID for each command; sent again it gives the first answer."""
    at_once: bool = False
    """Whether it ends now, with what the program's policy gives back; otherwise with its period.
    Members only where the program lets them."""
    reason: str = ""
    """Why, as it is to be kept."""


@strawberry.input
class PauseSubscriptionInput:
    """Whose subscription rests, or goes on."""

    member: MemberRef
    """Whose."""
    program: str
    """Slug of the program."""
    idempotency_key: str
    """A new UUID for each command; sent again it gives the first answer."""


@strawberry.input
class ChangeSubscriptionPlanInput:
    """Whose subscription is to be one of another plan."""

    member: MemberRef
    """Whose."""
    program: str
    """Slug of the program."""
    plan: str
    """Id of the new plan; the one that it has takes back a change that waits for the period."""
    idempotency_key: str
    """A new UUID for each command; sent again it gives the first answer."""


@strawberry.type
class SubscriptionCommands:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:write")
    @allow(Role.MEMBER, scope="self:write")
    @money
    async def subscribe(self, info: RequestInfo, input: SubscribeInput) -> SubscriptionPayload:
        """Subscribe to a plan. A plan that is free, on trial or paid in points begins at once; one
        in money once it is paid: the webhook `subscriptions.payment_due.v1` tells the shop.

        :param input: who, and which plan
        """
        return await _answered(info.context, input, Subscribe, plan=input.plan)

    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:write")
    @allow(Role.MEMBER, scope="self:write")
    @money
    async def cancel_subscription(
        self, info: RequestInfo, input: CancelSubscriptionInput
    ) -> SubscriptionPayload:
        """Cancel a subscription: it ends with its period, or at once.

        :param input: whose, and when
        """
        return await _answered(
            info.context, input, Cancel, at_once=input.at_once,
            reason=input.reason and texts.words(input.reason, field="reason", longest=REASON_MAX),
            by_staff=info.context.who.role in STAFF,
        )  # fmt: skip

    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:write")
    @allow(Role.MEMBER, scope="self:write")
    async def pause_subscription(
        self, info: RequestInfo, input: PauseSubscriptionInput
    ) -> SubscriptionPayload:
        """Let a subscription rest: no benefits and no fees until it is resumed. What is left of its
        period waits. Members only where the program lets them.

        :param input: whose
        """
        staff = info.context.who.role in STAFF
        return await _answered(info.context, input, Pause, by_staff=staff)

    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:write")
    @allow(Role.MEMBER, scope="self:write")
    async def resume_subscription(
        self, info: RequestInfo, input: PauseSubscriptionInput
    ) -> SubscriptionPayload:
        """Let a paused subscription go on, or take a cancellation back before its period ends.

        :param input: whose
        """
        return await _answered(info.context, input, Resume)

    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:write")
    @allow(Role.MEMBER, scope="self:write")
    @money
    async def change_subscription_plan(
        self, info: RequestInfo, input: ChangeSubscriptionPlanInput
    ) -> SubscriptionPayload:
        """Take another plan, by the program's policy: with the next period, or at once.

        :param input: whose, and which plan
        """
        return await _answered(info.context, input, ChangePlan, plan=input.plan)


async def recorded(context: Context, given: Any, command: type[C], **more: Any) -> Recorded:
    """Record a command of an input with member, program and key.

    :raises Refused: PROGRAM_NOT_ACTIVE, or as a rule refuses it
    """
    _, program, _ = await named(context, given.program)
    asked = command(
        member=await context.own(member_ref(given.member)),
        occurred_at=context.api.clock.now(),
        program=program.slug,
        **more,
    )
    key = texts.idempotency_key(given.idempotency_key)
    return await context.record(context.request(asked, key))


async def _answered(
    context: Context, given: Any, command: type[C], **more: Any
) -> SubscriptionPayload:
    return await answered(context, given.program, recorded(context, given, command, **more))
