"""Asking for a payout, and saying what became of it."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

import strawberry

from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef as Ref
from loyalty.settlement.request import Recorded
from loyalty.units import parse_minor
from loyalty_cashback.commands import RecordPayout, RequestPayout
from loyalty_cashback.graphql.payouts import Payout, payout_of, shown_payout
from loyalty_cashback.payout import State, payout_id
from loyalty_cashback.programs import offered
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import uuid_of
from loyalty_graphql.inputs import compiled
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.scalars import Decimal
from loyalty_graphql.units import unit_of
from loyalty_tenants.principal import Role


@strawberry.enum
class PayoutOutcome(StrEnum):
    """What became of a payout, as who pays it says."""

    PAID = "PAID"
    """It was paid."""
    FAILED = "FAILED"
    """It could not be paid: the member has the money again."""
    RETURNED = "RETURNED"
    """It was paid and came back: the member has the money again."""


@compiled
@strawberry.input
class RequestPayoutInput:
    """Whose money to pay out, and how much of it."""

    member: MemberRef
    """Whose."""
    program: str
    """Slug of the cashback program."""
    idempotency_key: str
    """A new UUID for each payout; sent again it gives the first answer."""
    unit: str | None = None
    """Code of the unit; null: that of the program's main currency."""
    amount: Decimal | None = None
    """How much; null: all that is available."""
    destination: str | None = None
    """Where it goes, as the one who pays it knows it: a token or reference, no account number."""


@compiled
@strawberry.input
class RecordPayoutInput:
    """Which payout, and what became of it."""

    payout: strawberry.ID
    """Id of the payout."""
    state: PayoutOutcome
    """What became of it."""
    idempotency_key: str
    """A new key for each message; sent again it gives the first answer."""
    reference: str | None = None
    """What who pays it calls it."""
    reason: str | None = None
    """Why it failed or came back, for whoever asks later."""


@strawberry.type
@reached
class PayoutPayload:
    """A payout after what was asked or said."""

    payout: Payout | None
    """As it is now; null where nothing was done."""
    replayed: bool
    """Whether this key was used before and this is the first answer."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class PayoutMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="redemptions:write")
    @allow(Role.MEMBER, scope="self:redeem")
    @money
    async def request_payout(self, info: RequestInfo, input: RequestPayoutInput) -> PayoutPayload:
        """Pay out what a member has: it leaves the balance at once and is told to whoever pays it.

        :param input: whose and how much
        """
        done, refused = await attempted(_requested(info.context, input))
        return await _payload(info.context, done, refused)

    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="redemptions:write")
    @money
    async def record_payout(self, info: RequestInfo, input: RecordPayoutInput) -> PayoutPayload:
        """Say what became of a payout. What failed or came back is the member's again, with its
        end. News may come twice and in any order: a payout never goes back to a state before.

        :param input: which and what
        """
        done, refused = await attempted(_recorded(info.context, input))
        return await _payload(info.context, done, refused)


async def _payload(
    context: Context, done: tuple[UUID, Recorded] | None, refused: Sequence[Refused]
) -> PayoutPayload:
    if done is None:
        return PayoutPayload(payout=None, replayed=False, user_errors=user_errors(refused))
    ident, recorded = done
    view = await payout_of(context, ident)
    assert view is not None, "it was just written"
    return PayoutPayload(
        payout=shown_payout(view, await context.setup()), replayed=recorded.replayed, user_errors=[]
    )


async def _requested(context: Context, given: RequestPayoutInput) -> tuple[UUID, Recorded]:
    setup, now = await context.setup(), context.api.clock.now()
    config = next(
        (one for program, one in offered(setup, now) if program.slug == given.program), None
    )
    if config is None:
        raise Refused(
            Code.PROGRAM_NOT_ACTIVE, "no active cashback program has this slug", field="program"
        )
    unit = unit_of(setup, config.unit if given.unit is None else given.unit)
    key = texts.idempotency_key(given.idempotency_key)
    ident = payout_id(context.tenant_id, context.who.client, key)
    command = RequestPayout(
        member=await context.own(member_ref(given.member)),
        occurred_at=now,
        program=given.program,
        payout=ident,
        unit=unit.code,
        amount=None
        if given.amount is None
        else parse_minor(given.amount, unit.places, field="amount"),
        destination=given.destination and texts.words(given.destination, field="destination"),
        by_member=context.is_member,
    )
    return ident, await context.record(context.request(command, key))


async def _recorded(context: Context, given: RecordPayoutInput) -> tuple[UUID, Recorded]:
    setup = await context.setup()
    ident = uuid_of(given.payout, "Payout", field="payout")
    view = await payout_of(context, ident)
    program = setup.program_by_id(view.program_id) if view else None
    if view is None or program is None:
        raise Refused(Code.NOT_FOUND, "there is no such payout", field="payout")
    command = RecordPayout(
        member=Ref(id=view.member_id),
        occurred_at=context.api.clock.now(),
        program=program.slug,
        payout=ident,
        redemption=view.redemption_id,
        state=State(given.state.value),
        reference=given.reference and texts.words(given.reference, field="reference"),
        reason=given.reason and texts.words(given.reason, field="reason", longest=1000),
    )
    key = texts.idempotency_key(given.idempotency_key)
    return ident, await context.record(context.request(command, key))
