"""Spending: from the reservation to the end."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import strawberry

from loyalty import commands
from loyalty.commands import Command
from loyalty.facts import MemberRef as Ref
from loyalty.redemptions import RedemptionView
from loyalty.settlement.request import Recorded
from loyalty.setup import Setup
from loyalty.units import format_minor, parse_minor
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import uuid_of
from loyalty_graphql.inputs import compiled
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.redemptions import Redemption, shown_redemption
from loyalty_graphql.scalars import Decimal
from loyalty_graphql.units import unit_of
from loyalty_tenants.principal import Role

HOLD_SECONDS_MAX = 30 * 24 * 3600


@compiled
@strawberry.input
class RedeemPointsInput:
    """What to spend, and where."""

    member: MemberRef
    """Whose."""
    unit: str
    """Code of the unit."""
    program: str
    """Slug of the program to spend it in."""
    idempotency_key: str
    """A new UUID for each redemption; sent again it gives the first answer."""
    amount: Decimal | None = None
    """How much of the unit; left out where a reward says it."""
    reward: str | None = None
    """Id of a reward of the program, which then says what it costs."""
    capture: bool = False
    """True settles it at once; false reserves it for `captureRedemption`."""
    hold_for_seconds: int | None = None
    """How long to reserve it, at most 30 days; null: as the program says."""
    order: str | None = None
    """The order it pays for, known before the purchase is recorded."""


@compiled
@strawberry.input
class CaptureRedemptionInput:
    """Which reservation to settle."""

    redemption: strawberry.ID
    """Id of the redemption."""
    idempotency_key: str
    """A new UUID for each attempt that is meant anew."""
    amount: Decimal | None = None
    """A part of what is reserved; the rest goes back. Null: all of it."""
    order: str | None = None
    """The order it pays for, where it was not known before."""


@compiled
@strawberry.input
class EndRedemptionInput:
    """Which redemption to give back, and why."""

    redemption: strawberry.ID
    """Id of the redemption."""
    idempotency_key: str
    """A new UUID for each attempt that is meant anew."""
    reason: str = ""
    """Kept with the fact, for whoever asks later."""


@strawberry.type
@reached
class RedemptionPayload:
    """A redemption after what was asked."""

    redemption: Redemption | None
    """As it is now; null where nothing was done."""
    replayed: bool
    """Whether this key was used before and this is the first answer."""
    reinstated: Decimal | None
    """Of a reversal: what went back to its lots."""
    expired: Decimal | None
    """Of a reversal: what was past its term and is gone."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class RedemptionMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="redemptions:write")
    @allow(Role.MEMBER, scope="self:redeem")
    @money
    async def redeem_points(self, info: RequestInfo, input: RedeemPointsInput) -> RedemptionPayload:
        """Reserve or spend what a member has, in burn order: soonest to expire first.

        :param input: whose, how much and where
        """
        return await _asked(info.context, _redeem(info.context, input))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="redemptions:write")
    @money
    async def capture_redemption(
        self, info: RequestInfo, input: CaptureRedemptionInput
    ) -> RedemptionPayload:
        """Settle a reservation, all of it or a part.

        :param input: which one and how much
        """
        return await _asked(info.context, _capture(info.context, input))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="redemptions:write")
    @allow(Role.MEMBER, scope="self:redeem")
    @money
    async def release_redemption(
        self, info: RequestInfo, input: EndRedemptionInput
    ) -> RedemptionPayload:
        """Give a reservation back: the lots are as they were.

        :param input: which one
        """
        return await _asked(info.context, _end(info.context, input, commands.ReleaseRedemption))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="redemptions:write")
    @money
    async def reverse_redemption(
        self, info: RequestInfo, input: EndRedemptionInput
    ) -> RedemptionPayload:
        """Undo a captured redemption, where the program allows it.

        :param input: which one
        """
        return await _asked(info.context, _end(info.context, input, commands.ReverseRedemption))


@dataclass(frozen=True, slots=True)
class _Ask:
    command: Command
    key: str


async def _asked(context: Context, asking: Any) -> RedemptionPayload:
    """Carry a command out and show the redemption it was about."""
    done, refused = await attempted(_carried_out(context, asking))
    if done is None:
        return RedemptionPayload(
            redemption=None,
            replayed=False,
            reinstated=None,
            expired=None,
            user_errors=user_errors(refused),
        )
    recorded, view, setup = done
    places = setup.places(view.unit) or 0

    def part(name: str) -> Decimal | None:
        minor = recorded.answer.get(name)
        return None if minor is None else Decimal(format_minor(minor, places))

    return RedemptionPayload(
        redemption=shown_redemption(view, setup),
        replayed=recorded.replayed,
        reinstated=part("reinstated"),
        expired=part("expired"),
        user_errors=[],
    )


async def _carried_out(context: Context, asking: Any) -> tuple[Recorded, RedemptionView, Setup]:
    ask: _Ask = await asking
    key = texts.idempotency_key(ask.key)
    recorded = await context.record(context.request(ask.command, key))
    ident = UUID(recorded.answer["redemptionId"])
    view = await context.loaders.redemption.load(ident)
    assert view is not None, "it was just written"
    return recorded, view, await context.setup()


async def _redeem(context: Context, given: RedeemPointsInput) -> _Ask:
    setup = await context.setup()
    unit = unit_of(setup, given.unit)
    if (given.amount is None) == (given.reward is None):
        raise texts.bad("amount", "give an amount, or a reward of the program that has its price")
    amount = 0
    if given.amount is not None:
        amount = positive(parse_minor(given.amount, unit.places, field="amount"))
    hold_for = None
    if given.hold_for_seconds is not None:
        if not 1 <= given.hold_for_seconds <= HOLD_SECONDS_MAX:
            raise texts.bad("holdForSeconds", "must be 1 to 2592000 seconds (30 days)")
        hold_for = timedelta(seconds=given.hold_for_seconds)
    command = commands.Redeem(
        member=await context.own(member_ref(given.member)),
        occurred_at=context.api.clock.now(),
        program=given.program,
        unit=unit.code,
        amount=amount,
        capture=given.capture,
        hold_for=hold_for,
        order=None if given.order is None else texts.name(given.order, field="order"),
        reward=None if given.reward is None else texts.name(given.reward, field="reward"),
    )
    return _Ask(command, given.idempotency_key)


async def _capture(context: Context, given: CaptureRedemptionInput) -> _Ask:
    ident = uuid_of(given.redemption, "Redemption", field="redemption")
    amount = None
    if given.amount is not None:
        view = await context.loaders.redemption.load(ident)
        places = (await context.setup()).places(view.unit) if view else 0
        amount = positive(parse_minor(given.amount, places or 0, field="amount"))
    command = commands.CaptureRedemption(
        occurred_at=context.api.clock.now(),
        redemption_id=ident,
        amount=amount,
        order=None if given.order is None else texts.name(given.order, field="order"),
    )
    return _Ask(command, given.idempotency_key)


async def _end(context: Context, given: EndRedemptionInput, kind: Any) -> _Ask:
    command = kind(
        member=Ref(external_id=context.who.subject) if context.is_member else None,
        occurred_at=context.api.clock.now(),
        redemption_id=uuid_of(given.redemption, "Redemption", field="redemption"),
        reason=given.reason and texts.words(given.reason, field="reason", longest=1000),
    )
    return _Ask(command, given.idempotency_key)


def positive(minor: int, field: str = "amount") -> int:
    if minor <= 0:
        raise texts.bad_amount(field, "must be more than nothing")
    return minor
