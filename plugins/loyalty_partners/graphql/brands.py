"""Outside brands: agreed with by admins; with a key of their own they give points and see no more
than their own half."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.units import currency_places, format_minor, parse_minor
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import node_id
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.scalars import Decimal
from loyalty_graphql.units import unit_of
from loyalty_partners import agreements
from loyalty_partners.agreements import AgreementKind
from loyalty_partners.graphql import agreeing, giving
from loyalty_partners.graphql.agreements import (
    NODE,
    PartnerAgreement,
    agreement_key,
    shown_agreement,
)
from loyalty_partners.graphql.issuing_input import IssuingTermsInput, read_issuing
from loyalty_partners.graphql.lines import LINE
from loyalty_partners.graphql.partnerships import PartnershipPayload, shown_partnership
from loyalty_partners.graphql.programs import check_moves, running
from loyalty_tenants.principal import Role


@strawberry.type
@reached
class PartnerFact:
    """Points that an outside brand gave, or took back. Of the member it says nothing."""

    id: strawberry.ID
    """Id of its line."""
    agreement: strawberry.ID
    """Id of the agreement."""
    ref: str | None
    """What the brand calls it; null: a reversal."""
    points: Decimal
    """Points that were given; less than nothing: taken back."""
    amount: Decimal
    """What the brand owes for them; nothing where they are of a pack."""
    at: datetime
    """When it happened."""


@strawberry.input
class ProposeIssuingInput:
    """An agreement with an outside brand."""

    client: str
    """The client that the brand's keys (role PARTNER) are issued for."""
    program: str
    """Slug of our program of kind `partners`."""
    unit: str
    """Code of our unit that it may give."""
    terms: IssuingTermsInput
    """What is offered."""
    effective_from: datetime | None = None
    """From when it applies; null: once it is accepted."""


@strawberry.input
class RecordPartnerFactInput:
    """What a member did at the brand."""

    agreement: strawberry.ID
    """Of the agreement."""
    external_id: str
    """What the brand calls it; sent again it is answered as before."""
    member: MemberRef
    """Whose points."""
    activity: str
    """What it was, as agreed on."""
    amount: Decimal | None = None
    """How much money it was about, in the agreement's currency."""
    occurred_at: datetime
    """When it happened."""


@strawberry.input
class ReversePartnerFactInput:
    """What came back at the brand."""

    agreement: strawberry.ID
    """Of the agreement."""
    external_id: str
    """What the brand calls the fact."""
    reversal_id: str
    """What the brand calls this return; sent again it is answered as before."""
    amount: Decimal | None = None
    """How much money came back; null: all that is left."""


@strawberry.input
class BuyPointPackInput:
    """How many points."""

    agreement: strawberry.ID
    """Of the agreement."""
    points: Decimal
    """How many."""
    idempotency_key: str
    """A new UUID for each pack."""


@strawberry.type
@reached
class PartnerFactPayload:
    """A fact of the brand after what was asked."""

    fact: PartnerFact | None
    """Null where nothing was done."""
    replayed: bool
    """Whether it was recorded before."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class BrandQuery:
    @strawberry.field
    @allow(Role.PARTNER, scope="partner:self")
    async def own_partnerships(self, info: RequestInfo) -> list[PartnerAgreement]:
        """The agreements of the outside brand that asks, newest first."""
        context = info.context
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await agreements.of_client(connection, context.who.subject)
        return [shown_agreement(half) for half in found]


@strawberry.type
class BrandMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    async def propose_issuing(
        self, info: RequestInfo, input: ProposeIssuingInput
    ) -> PartnershipPayload:
        """Propose to an outside brand that it gives our points and pays for them. It accepts with
        its own key.

        :param input: to whom, what and for how much
        """
        return await shown_partnership(info.context, _propose(info.context, input))

    @strawberry.mutation
    @allow(Role.PARTNER, scope="partner:self")
    @money
    async def record_partner_fact(
        self, info: RequestInfo, input: RecordPartnerFactInput
    ) -> PartnerFactPayload:
        """Give a member points for what they did at the brand.

        :param input: who, what and when
        """
        return await _told(info.context, _given(info.context, input))

    @strawberry.mutation
    @allow(Role.PARTNER, scope="partner:self")
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    @money
    async def reverse_partner_fact(
        self, info: RequestInfo, input: ReversePartnerFactInput
    ) -> PartnerFactPayload:
        """Take points back for what came back at the brand, in proportion.

        :param input: of which fact, and how much
        """
        return await _told(info.context, _taken_back(info.context, input))

    @strawberry.mutation
    @allow(Role.PARTNER, scope="partner:self")
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    @money
    async def buy_point_pack(
        self, info: RequestInfo, input: BuyPointPackInput
    ) -> PartnerFactPayload:
        """Buy points ahead, to be given later. The price stands in the statement.

        :param input: how many
        """
        return await _told(info.context, _bought(info.context, input))


async def _propose(context: Context, given: ProposeIssuingInput) -> UUID:
    setup, now = await context.setup(), context.api.clock.now()
    program = await running(context, given.program)
    unit = unit_of(setup, given.unit)
    check_moves(program, unit.code, now)
    client = texts.name(given.client, field="client", longest=60)
    terms, ident = read_issuing(given.terms, unit.places), agreeing.new_agreement()
    half = agreeing.Half(
        tenant_id=context.tenant_id, partner=client, partner_tenant_id=None,
        program_id=program.id, unit=unit.code, partner_unit=None, terms=terms.plain(),
        proposed_here=True,
    )  # fmt: skip
    async with context.api.database.tenant(context.tenant_id) as connection:
        await agreeing.insert(
            connection, ident, AgreementKind.ISSUING, half,
            effective_from=given.effective_from or now, now=now,
        )  # fmt: skip
        made = await agreements.by_id(connection, ident)
        assert made is not None, "it was just written"
        await agreeing.note(connection, context.actor, "partnership.propose", made, now, {})
    return ident


async def _money(context: Context, agreement_id: UUID, text: str | None) -> int | None:
    """An amount in the agreement's currency; of none the text is read as if it had no places."""
    if text is None:
        return None
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        versions = (await agreements.terms_of_each(connection, [agreement_id])).get(agreement_id)
    currency = versions[0].plain["currency"] if versions else ""
    minor = parse_minor(text, currency_places(currency) or 0, field="amount")
    if minor == 0:
        raise texts.bad_amount("amount", "must be more than nothing")
    return minor


async def _given(context: Context, given: RecordPartnerFactInput) -> tuple[Any, bool]:
    agreement_id = agreement_key(given.agreement)
    await giving.seen(context, agreement_id)
    return await giving.give(
        context,
        agreement_id,
        member_ref(given.member),
        texts.name(given.external_id, field="externalId"),
        texts.name(given.activity, field="activity", longest=60),
        await _money(context, agreement_id, given.amount),
        given.occurred_at,
    )


async def _taken_back(context: Context, given: ReversePartnerFactInput) -> tuple[Any, bool]:
    agreement_id = agreement_key(given.agreement)
    await giving.seen(context, agreement_id)
    return await giving.take_back(
        context,
        agreement_id,
        texts.name(given.external_id, field="externalId"),
        texts.name(given.reversal_id, field="reversalId"),
        await _money(context, agreement_id, given.amount),
    )


async def _bought(context: Context, given: BuyPointPackInput) -> tuple[Any, bool]:
    agreement_id = agreement_key(given.agreement)
    half = await giving.seen(context, agreement_id)
    places = (await context.setup()).places(half.unit or "") or 0
    points = parse_minor(given.points, places, field="points")
    if points == 0:
        raise texts.bad_amount("points", "must be more than nothing")
    key = texts.idempotency_key(given.idempotency_key)
    return await giving.buy(context, agreement_id, points, key)


async def _told(context: Context, doing: Any) -> PartnerFactPayload:
    done, refused = await attempted(doing)
    if done is None:
        return PartnerFactPayload(fact=None, replayed=False, user_errors=user_errors(refused))
    row, replayed = done
    places = (await context.setup()).places(row["unit"]) or 0
    fact = PartnerFact(
        id=node_id(LINE, row["id"]),
        agreement=node_id(NODE, row["agreement_id"]),
        ref=row["ref"],
        points=Decimal(format_minor(row["points_in"] + row["points_out"], places)),
        amount=Decimal(format_minor(row["amount"], currency_places(row["currency"]) or 0)),
        at=row["occurred_at"],
    )
    return PartnerFactPayload(fact=fact, replayed=replayed, user_errors=[])
