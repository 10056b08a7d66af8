"""Reasons of corrections, as the tenant lists them."""

from datetime import datetime

import strawberry

from loyalty.days import SpanEnd
from loyalty.errors import Refused
from loyalty_graphql import texts
from loyalty_graphql.access import allow, reached
from loyalty_graphql.adjustments import REASON
from loyalty_graphql.admin.changes import changing
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.enums import exposed
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.outcomes import attempted
from loyalty_tenants.desk import reasons
from loyalty_tenants.desk.reasons import Reason
from loyalty_tenants.principal import Role

exposed(
    SpanEnd,
    name="SpanEnd",
    description="Where a span ends, in the tenant's time zone.",
    values={
        SpanEnd.EXACT: "Exactly then.",
        SpanEnd.DAY: "With that day.",
        SpanEnd.MONTH: "With that month.",
        SpanEnd.QUARTER: "With that quarter.",
        SpanEnd.YEAR: "With that year.",
    },
)


@strawberry.type
@reached
class AdjustmentReason:
    """Why a balance may be corrected by hand."""

    code: str
    """What `adjustBalance` names it by."""
    label: str
    """What members read, where the correction says nothing else."""
    expires_after: str | None
    """How long what is given lives (ISO 8601, such as P6M); null: for ever."""
    ends: SpanEnd
    """Where that ends."""
    retired_at: datetime | None
    """When it was taken from the list."""


@strawberry.input
class SetAdjustmentReasonInput:
    """A reason, listed or changed."""

    code: str
    """2 to 40 capitals, digits and _, such as GOODWILL."""
    label: str
    """What members read."""
    expires_after: str | None = None
    """How long what is given lives (ISO 8601, such as P6M); null: for ever."""
    ends: SpanEnd = SpanEnd.EXACT
    """Where that ends."""


@strawberry.input
class RetireAdjustmentReasonInput:
    """A reason to take from the list."""

    code: str
    """Of the reason."""


@strawberry.type
@reached
class AdjustmentReasonPayload:
    """A reason after what was asked."""

    reason: AdjustmentReason | None
    """As it is now; null where nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class AdjustmentReasonQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="balances:adjust")
    async def adjustment_reasons(
        self, info: RequestInfo, retired: bool = False
    ) -> list[AdjustmentReason]:
        """The reasons for which balances may be corrected, by code; where none is listed, any code
        will do.

        :param retired: with those that were taken from the list
        """
        context = info.context
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            return [_shown(one) for one in await reasons.reasons(connection, retired=retired)]


@strawberry.type
class AdjustmentReasonMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="tenant:write")
    async def set_adjustment_reason(
        self, info: RequestInfo, input: SetAdjustmentReasonInput
    ) -> AdjustmentReasonPayload:
        """List a reason of corrections, or change one. From the first one on, only listed reasons
        will do.

        :param input: the reason
        """
        return _payload(*await attempted(_set(info.context, input)))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="tenant:write")
    async def retire_adjustment_reason(
        self, info: RequestInfo, input: RetireAdjustmentReasonInput
    ) -> AdjustmentReasonPayload:
        """Take a reason from the list. What was corrected for it keeps it.

        :param input: which
        """
        return _payload(*await attempted(_retired(info.context, input)))


async def _set(context: Context, given: SetAdjustmentReasonInput) -> Reason:
    if not REASON.fullmatch(given.code):
        raise texts.bad("code", "write 2 to 40 capitals, digits and _, such as GOODWILL")
    async with changing(context) as connection:
        return await reasons.set_reason(
            connection, context.actor, code=given.code, label=given.label,
            expires_after=given.expires_after, expires_end=given.ends,
            now=context.api.clock.now(),
        )  # fmt: skip


async def _retired(context: Context, given: RetireAdjustmentReasonInput) -> Reason:
    async with changing(context) as connection:
        now = context.api.clock.now()
        return await reasons.retire_reason(connection, context.actor, code=given.code, now=now)


def _payload(done: Reason | None, refused: list[Refused]) -> AdjustmentReasonPayload:
    shown = None if done is None else _shown(done)
    return AdjustmentReasonPayload(reason=shown, user_errors=user_errors(refused))


def _shown(reason: Reason) -> AdjustmentReason:
    return AdjustmentReason(
        code=reason.code, label=reason.label, expires_after=reason.expires_after,
        ends=reason.expires_end, retired_at=reason.retired_at,
    )  # fmt: skip
