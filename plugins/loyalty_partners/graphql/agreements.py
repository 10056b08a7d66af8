"""Agreements as each side sees its own half."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import strawberry

from loyalty.units import currency_places
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.ids import node_id, read_node_id
from loyalty_graphql.members import beyond
from loyalty_graphql.paging import Connection
from loyalty_graphql.scalars import Json
from loyalty_partners import agreements
from loyalty_partners.agreements import Agreement, TermsVersion
from loyalty_partners.graphql.agreeing import gone
from loyalty_partners.graphql.enums import AgreementKind, AgreementState, TermsState
from loyalty_partners.graphql.terms_input import ShownFlow, shown_flow
from loyalty_tenants.principal import Role

NODE = "PartnerAgreement"
NO_TERMS: Sequence[TermsVersion] = ()


@strawberry.type
@reached
class PartnerTerms:
    """One version of what was agreed on, or proposed."""

    number: int
    """Counted from 1 in the agreement."""
    state: TermsState
    """Proposed, accepted or withdrawn."""
    effective_from: datetime
    """From when they apply, once they are accepted."""
    in_force: bool
    """Whether they apply now."""
    proposed_by_us: bool
    """Whether they were proposed here."""
    currency: str
    """ISO 4217 code of the money that is settled in."""
    give: ShownFlow | None
    """Our points become the partner's; null: not agreed on, or of another kind."""
    take: ShownFlow | None
    """The partner's points become ours; null: not agreed on, or of another kind."""
    reversal_hours: int | None
    """For how long a movement may be undone."""
    issuing: Json | None
    """What an outside brand pays and may give, for an agreement of that kind."""


@strawberry.type
@reached
class PartnerAgreement:
    """Our half of an agreement with a partner. The partner has its own."""

    id: strawberry.ID
    """Opaque; the same on both sides."""
    kind: AgreementKind
    """What the two brands do with each other."""
    state: AgreementState
    """Whether it is in force; the same on both sides."""
    partner: str
    """The partner: a tenant's slug, the client that an outside brand signs in as, or what we call a
    brand of another installation."""
    remote: bool
    """Whether the partner is of another installation."""
    unit: str | None
    """Code of our unit; null: only the partner keeps points."""
    partner_unit: str | None
    """Code of the partner's unit; null: only we keep points."""
    proposed_by_us: bool
    """Whether it was proposed here."""
    suspended_by_us: bool
    """Whether we suspended it."""
    created_at: datetime
    """When it was proposed."""
    accepted_at: datetime | None
    """When it came into force."""
    ended_at: datetime | None
    """When it ended."""
    key: strawberry.Private[Agreement]

    @strawberry.field
    async def terms(self, info: RequestInfo) -> list[PartnerTerms]:
        """All versions, the newest first."""
        found = await info.context.loaders.of(agreements.terms_of_each, NO_TERMS).load(self.key.id)
        now = info.context.api.clock.now()
        return [shown_terms(one, found, now) for one in found]


@strawberry.type
class AgreementQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:read")
    async def partner_agreements(
        self, info: RequestInfo, first: int | None = None, after: str | None = None,
        last: int | None = None, before: str | None = None,
    ) -> Connection[PartnerAgreement]:  # fmt: skip
        """Our agreements, newest first.

        :param first: how many, at most 100
        :param after: a cursor of this list
        :param last: how many from the end, at most 100
        :param before: a cursor of this list
        """
        context = info.context
        page = context.api.paging.page(
            context.tenant_id, "Query.partnerAgreements", first=first, after=after, last=last,
            before=before,
        )  # fmt: skip
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await agreements.page(
                connection, beyond=beyond(page.beyond), count=page.fetch, backward=page.backward
            )
        return context.api.paging.connection(
            page, found, node=shown_agreement, position=lambda one: (str(one.id),)
        )

    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:read")
    @allow(Role.PARTNER, scope="partner:self")
    async def partner_agreement(
        self, info: RequestInfo, id: strawberry.ID
    ) -> PartnerAgreement | None:
        """One of our agreements; null where there is no such.

        :param id: of the agreement
        """
        found = await readable(info.context, id)
        return None if found is None else shown_agreement(found)


async def readable(context: Context, ident: str) -> Agreement | None:
    """An agreement that the caller may look at: an outside brand sees its own only."""
    read = read_node_id(ident)
    if read is None or read[0] != NODE:
        return None
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        found = await agreements.by_id(connection, read[1])
    if found is not None and context.who.role is Role.PARTNER and not is_of(context, found):
        return None
    return found


def is_of(context: Context, agreement: Agreement) -> bool:
    """Whether the caller, an outside brand or one of another installation, is its other side."""
    if context.who.peer is not None or agreement.peer_id is not None:
        return agreement.peer_id == context.who.peer
    outside = agreement.kind is AgreementKind.ISSUING and agreement.partner_tenant_id is None
    return outside and agreement.partner == context.who.subject


def shown_agreement(found: Agreement) -> PartnerAgreement:
    return PartnerAgreement(
        id=node_id(NODE, found.id),
        kind=found.kind,
        state=found.state,
        partner=found.partner,
        remote=found.peer_id is not None,
        unit=found.unit,
        partner_unit=found.partner_unit,
        proposed_by_us=found.proposed_here,
        suspended_by_us=found.suspended_here,
        created_at=found.created_at,
        accepted_at=found.accepted_at,
        ended_at=found.ended_at,
        key=found,
    )


def shown_terms(one: TermsVersion, among: Sequence[TermsVersion], now: datetime) -> PartnerTerms:
    plain, currency = one.plain, one.plain["currency"]
    money = currency_places(currency) or 0
    return PartnerTerms(
        number=one.number,
        state=one.state,
        effective_from=one.effective_from,
        in_force=number_in_force(among, now) == one.number,
        proposed_by_us=one.proposed_here,
        currency=currency,
        give=shown_flow(plain.get("give"), money),
        take=shown_flow(plain.get("take"), money),
        reversal_hours=plain.get("reversal_hours"),
        issuing=Json(plain["issuing"]) if plain.get("issuing") else None,
    )


def number_in_force(among: Sequence[TermsVersion], now: datetime) -> int | None:
    accepted = [
        (one.effective_from, one.number)
        for one in among
        if one.state is TermsState.ACCEPTED and one.effective_from <= now
    ]
    return max(accepted)[1] if accepted else None


def agreement_key(ident: str) -> UUID:
    """The key in an agreement's id.

    :raises Refused: NOT_FOUND
    """
    read = read_node_id(ident)
    if read is None or read[0] != NODE:
        raise gone()
    return read[1]
