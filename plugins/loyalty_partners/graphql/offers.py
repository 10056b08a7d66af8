"""What brands of other installations offer us, by signed calls."""

from datetime import datetime

import strawberry

from loyalty_graphql import texts
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.outcomes import attempted
from loyalty_partners.graphql import offering
from loyalty_partners.graphql.agreeing import gone, no_partner
from loyalty_partners.graphql.agreements import agreement_key, is_of, readable
from loyalty_partners.graphql.terms_input import ExchangeTermsInput
from loyalty_tenants.peers import PeerStatus, peer_by_id
from loyalty_tenants.principal import Role


@strawberry.input
class OfferExchangeInput:
    """An exchange, in the words of the brand that it is offered to."""

    agreement: strawberry.ID
    """What the agreement is called by both."""
    unit: str
    """Code of the unit of the brand that it is offered to."""
    partner_unit: str
    """Code of the offering brand's unit."""
    places: int
    """Decimal places of the offering brand's unit."""
    terms: ExchangeTermsInput
    """What is offered."""
    effective_from: datetime
    """From when it applies."""


@strawberry.input
class OfferTermsInput:
    """Other terms of an agreement, in the words of the brand that they are offered to."""

    agreement: strawberry.ID
    """Of the agreement."""
    number: int
    """Of the terms, in both halves."""
    terms: ExchangeTermsInput
    """What is offered."""
    effective_from: datetime
    """From when they apply."""


@strawberry.type
@reached
class OfferPayload:
    """An offer that was taken down."""

    places: int | None
    """Decimal places of our unit; null: nothing was taken down."""
    user_errors: list[UserError]
    """Why nothing was; empty where it was."""


@strawberry.type
class OfferMutation:
    @strawberry.mutation
    @allow(Role.PARTNER, scope="partner:remote")
    async def offer_exchange(self, info: RequestInfo, input: OfferExchangeInput) -> OfferPayload:
        """A brand of another installation proposes an exchange. Nothing moves until we accept.

        :param input: of what and at which terms
        """
        done, refused = await attempted(_offered(info.context, input))
        return OfferPayload(places=done, user_errors=user_errors(refused))

    @strawberry.mutation
    @allow(Role.PARTNER, scope="partner:remote")
    async def offer_partner_terms(self, info: RequestInfo, input: OfferTermsInput) -> OfferPayload:
        """A brand of another installation proposes other terms.

        :param input: which, and from when
        """
        done, refused = await attempted(_terms(info.context, input))
        return OfferPayload(places=done, user_errors=user_errors(refused))


async def _offered(context: Context, given: OfferExchangeInput) -> int:
    if not 0 <= given.places <= 18:
        raise texts.bad("places", "must be 0 to 18")
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        ident = context.who.peer
        peer = None if ident is None else await peer_by_id(connection, ident)
    if peer is None or peer.status is not PeerStatus.ACTIVE:
        raise no_partner()
    offer = offering.Offer(
        agreement_id=agreement_key(given.agreement), unit=given.unit,
        partner_unit=texts.name(given.partner_unit, field="partnerUnit", longest=32),
        places=given.places, terms=given.terms, effective_from=given.effective_from,
    )  # fmt: skip
    return await offering.offered(context, offer, peer)


async def _terms(context: Context, given: OfferTermsInput) -> int:
    half = await readable(context, given.agreement)
    if half is None or not is_of(context, half) or half.peer_id is None:
        raise gone()
    await offering.offered_terms(context, half.id, given.number, given.terms, given.effective_from)
    return (await context.setup()).places(half.unit or "") or 0
