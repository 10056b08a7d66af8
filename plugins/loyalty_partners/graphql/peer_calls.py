"""What brands of other installations ask of us, by signed calls: legs of exchanges, and links."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.errors import Code, Refused
from loyalty.units import currency_places, parse_minor
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import node_id, uuid_of
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.scalars import Decimal
from loyalty_partners.graphql import linking
from loyalty_partners.graphql.agreements import agreement_key
from loyalty_partners.graphql.enums import LegState
from loyalty_partners.graphql.exchanges import EXCHANGE
from loyalty_partners.graphql.links import LINK, PartnerLinkPayload
from loyalty_partners.remote import receiving, restoring
from loyalty_partners.remote.receiving import Arriving
from loyalty_partners.terms import Flow
from loyalty_tenants.principal import Role

CONFIRMED_MAX = 200


@strawberry.input
class CreditExchangeInput:
    """An exchange whose points have left the giver."""

    agreement: strawberry.ID
    """Of the agreement."""
    exchange: strawberry.ID
    """Of the exchange; sent again it is answered as before."""
    link: strawberry.ID
    """Of the link between the member's accounts."""
    terms: int
    """Number of the terms that it was promised under."""
    burned: Decimal
    """What left, in the giver's unit."""
    credited: Decimal
    """What is to be credited, in the taker's unit."""
    amount: Decimal
    """What the giver owes for it."""
    charge: Decimal
    """What the giver owes besides."""
    at: datetime
    """When the points left; it happened then, on both sides."""


@strawberry.input
class VoidExchangeInput:
    """An exchange that the giver calls off."""

    agreement: strawberry.ID
    """Of the agreement."""
    exchange: strawberry.ID
    """Of the exchange."""
    at: datetime
    """When the points left."""


@strawberry.input
class ConfirmExchangesInput:
    """Exchanges that the giver knows to be credited."""

    exchanges: list[strawberry.ID]
    """Of the exchanges, at most 200."""


@strawberry.input
class TakeExchangeBackInput:
    """An exchange that is undone."""

    exchange: strawberry.ID
    """Of the exchange."""


@strawberry.input
class RestoreExchangeInput:
    """An exchange of which what was credited is taken back."""

    exchange: strawberry.ID
    """Of the exchange."""
    at: datetime
    """When it was taken back; it happened then, on both sides."""


@strawberry.input
class LinkPartnerMemberInput:
    """A code of ours that the partner's member has."""

    agreement: strawberry.ID
    """Of the agreement."""
    code: str
    """As the member typed it."""
    link: strawberry.ID
    """Of the link, in both halves."""


@strawberry.type
@reached
class ExchangeLegPayload:
    """What an exchange is at the taker."""

    state: LegState | None
    """CREDITED or VOIDED, for good; null: nothing was decided."""
    user_errors: list[UserError]
    """Why nothing was decided; empty where it was."""


@strawberry.type
@reached
class ConfirmedExchangesPayload:
    """Exchanges that both sides know of."""

    exchanges: list[strawberry.ID]
    """Those that are settled."""
    user_errors: list[UserError]
    """Why none is."""


@strawberry.type
@reached
class TakenBackPayload:
    """An exchange that is undone at the taker."""

    at: datetime | None
    """When it was; null: it was not."""
    user_errors: list[UserError]
    """Why it was not; empty where it was."""


@strawberry.type
@reached
class RestoredPayload:
    """An exchange that is undone at the giver."""

    done: bool
    """Whether the points are back."""
    user_errors: list[UserError]
    """Why they are not; empty where they are."""


@strawberry.type
class PeerCallMutation:
    @strawberry.mutation
    @allow(Role.PARTNER, scope="partner:remote")
    @money
    async def credit_exchange(
        self, info: RequestInfo, input: CreditExchangeInput
    ) -> ExchangeLegPayload:
        """Credit a member what left the giver for it, once. What cannot be is called off for good.

        :param input: whom, what and for how much
        """
        done, refused = await attempted(_credit(info.context, input))
        return ExchangeLegPayload(state=done, user_errors=user_errors(refused))

    @strawberry.mutation
    @allow(Role.PARTNER, scope="partner:remote")
    @money
    async def void_exchange(
        self, info: RequestInfo, input: VoidExchangeInput
    ) -> ExchangeLegPayload:
        """Call an exchange off: it is never credited, unless it is already.

        :param input: which one
        """
        done, refused = await attempted(_void(info.context, input))
        return ExchangeLegPayload(state=done, user_errors=user_errors(refused))

    @strawberry.mutation
    @allow(Role.PARTNER, scope="partner:remote")
    @money
    async def confirm_exchanges(
        self, info: RequestInfo, input: ConfirmExchangesInput
    ) -> ConfirmedExchangesPayload:
        """The giver knows that these are credited: they are settled.

        :param input: which ones
        """
        done, refused = await attempted(_confirm(info.context, input))
        shown = [node_id(EXCHANGE, ident) for ident in done or ()]
        return ConfirmedExchangesPayload(exchanges=shown, user_errors=user_errors(refused))

    @strawberry.mutation
    @allow(Role.PARTNER, scope="partner:remote")
    @money
    async def take_exchange_back(
        self, info: RequestInfo, input: TakeExchangeBackInput
    ) -> TakenBackPayload:
        """Undo an exchange that was credited here, within its window; the giver's lots come back.

        :param input: which one
        """
        done, refused = await attempted(_taken_back(info.context, input))
        return TakenBackPayload(at=done, user_errors=user_errors(refused))

    @strawberry.mutation
    @allow(Role.PARTNER, scope="partner:remote")
    @money
    async def restore_exchange(
        self, info: RequestInfo, input: RestoreExchangeInput
    ) -> RestoredPayload:
        """The taker took back what it had credited: the points that left are in their lots again.

        :param input: which exchange, and when
        """
        done, refused = await attempted(_restored(info.context, input))
        return RestoredPayload(done=bool(done), user_errors=user_errors(refused))

    @strawberry.mutation
    @allow(Role.PARTNER, scope="partner:remote")
    async def link_partner_member(
        self, info: RequestInfo, input: LinkPartnerMemberInput
    ) -> PartnerLinkPayload:
        """Link the member whose code it is with one of the partner's.

        :param input: the code, and what the link is called
        """
        done, refused = await attempted(_linked(info.context, input))
        link = None if done is None else node_id(LINK, done)
        return PartnerLinkPayload(link=link, user_errors=user_errors(refused))


def _arriving(
    given: CreditExchangeInput | VoidExchangeInput, *, link: UUID | None, number: int
) -> Arriving:
    ident = uuid_of(given.exchange, EXCHANGE, field="exchange")
    return Arriving(
        id=ident, agreement_id=agreement_key(given.agreement), link_id=link or ident,
        number=number, at=given.at,
    )  # fmt: skip


async def _credit(context: Context, given: CreditExchangeInput) -> LegState:
    link = uuid_of(given.link, LINK, field="link")
    arriving = _arriving(given, link=link, number=given.terms)
    _, terms = await receiving.standing(context, arriving.agreement_id)
    if terms is None:  # nothing is agreed on, so nothing is credited
        return await receiving.call_off(context, arriving)
    flow: Flow | None = terms.take
    if flow is None:
        return await receiving.call_off(context, arriving)
    places = currency_places(terms.currency) or 0
    return await receiving.credit(
        context, arriving,
        burned=parse_minor(given.burned, flow.giver_places, field="burned"),
        credited=parse_minor(given.credited, flow.places, field="credited"),
        amount=parse_minor(given.amount, places, field="amount"),
        charge=parse_minor(given.charge, places, field="charge"),
    )  # fmt: skip


async def _void(context: Context, given: VoidExchangeInput) -> LegState:
    return await receiving.call_off(context, _arriving(given, link=None, number=0))


async def _taken_back(context: Context, given: TakeExchangeBackInput) -> datetime:
    ident = uuid_of(given.exchange, EXCHANGE, field="exchange")
    return await restoring.asked_to_take_back(context, ident)


async def _restored(context: Context, given: RestoreExchangeInput) -> bool:
    ident = uuid_of(given.exchange, EXCHANGE, field="exchange")
    return await restoring.restore(context, ident, given.at)


async def _confirm(context: Context, given: ConfirmExchangesInput) -> Sequence[UUID]:
    if len(given.exchanges) > CONFIRMED_MAX:
        raise texts.bad("exchanges", f"at most {CONFIRMED_MAX} at once")
    ids = [uuid_of(one, EXCHANGE, field="exchanges") for one in given.exchanges]
    return await receiving.confirm(context, ids)


async def _linked(context: Context, given: LinkPartnerMemberInput) -> Any:
    code = texts.words(given.code, field="code", longest=60)
    link = uuid_of(given.link, LINK, field="link")
    if not await linking.take_code(context, agreement_key(given.agreement), code, link):
        raise Refused(Code.NOT_FOUND, "there is no such code, or it is used or over", field="code")
    return link
