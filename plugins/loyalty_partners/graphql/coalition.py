"""Coalitions as admins agree on them and tills use them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.errors import Code, Refused
from loyalty.ids import NIL
from loyalty.recorder.pair import both
from loyalty.units import currency_places, parse_minor
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.scalars import Decimal
from loyalty_graphql.units import unit_of
from loyalty_partners import agreements
from loyalty_partners.agreements import AgreementKind
from loyalty_partners.graphql import agreeing, tills
from loyalty_partners.graphql.agreeing import Half, no_partner
from loyalty_partners.graphql.agreements import agreement_key
from loyalty_partners.graphql.exchanges import ExchangePayload, told
from loyalty_partners.graphql.partnerships import THERE, PartnershipPayload, shown_partnership
from loyalty_partners.graphql.programs import check_moves, running
from loyalty_partners.graphql.terms_input import HOURS_MAX, PRICE_PLACES
from loyalty_partners.movement import MovementKind
from loyalty_partners.terms import Flow, Terms
from loyalty_tenants.principal import Role


@strawberry.input
class ProposeCoalitionInput:
    """Our points, earned and spent at another tenant's tills."""

    partner: str
    """The other tenant's slug."""
    program: str
    """Slug of our program of kind `partners`."""
    unit: str
    """Code of our unit: we keep the members' accounts."""
    currency: str
    """ISO 4217 code of the money that it is settled in."""
    earn_price: Decimal
    """What the partner owes us for a point that is earned there."""
    burn_price: Decimal
    """What we owe the partner for a point that is spent there."""
    per_member_per_day: Decimal | None = None
    """What a member may spend there in our local day; null: no limit."""
    reversal_hours: int = 24
    """For how long a movement may be undone; 0: never."""
    effective_from: datetime | None = None
    """From when it applies; null: once it is accepted."""


@strawberry.input
class PartnerTillInput:
    """What a member earns or spends here of points that the partner keeps."""

    agreement: strawberry.ID
    """Of the coalition."""
    member: MemberRef
    """Whose account here; it is linked with the one that the partner keeps."""
    points: Decimal
    """How many points of the partner."""
    external_id: str
    """What the till calls it; sent again it is answered as before."""


@strawberry.type
class CoalitionMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    async def propose_coalition(
        self, info: RequestInfo, input: ProposeCoalitionInput
    ) -> PartnershipPayload:
        """Propose that our points are earned and spent at another tenant's tills.

        :param input: with whom, of what and for how much
        """
        return await shown_partnership(info.context, _propose(info.context, input))

    @strawberry.mutation
    @allow(Role.SERVICE, Role.ADMIN, Role.OPERATOR, scope="redemptions:write")
    @money
    async def earn_at_partner_till(
        self, info: RequestInfo, input: PartnerTillInput
    ) -> ExchangePayload:
        """Give a member points that the partner keeps; we are charged.

        :param input: whose, and how many
        """
        return await _at_till(info.context, input, MovementKind.EARN)

    @strawberry.mutation
    @allow(Role.SERVICE, Role.ADMIN, Role.OPERATOR, scope="redemptions:write")
    @money
    async def spend_at_partner_till(
        self, info: RequestInfo, input: PartnerTillInput
    ) -> ExchangePayload:
        """Take points that the partner keeps as payment; it is charged.

        :param input: whose, and how many
        """
        return await _at_till(info.context, input, MovementKind.BURN)


async def _at_till(
    context: Context, given: PartnerTillInput, kind: MovementKind
) -> ExchangePayload:
    async def doing() -> tuple[Any, bool]:
        return await tills.at_till(
            context, agreement_key(given.agreement), member_ref(given.member), given.points,
            texts.name(given.external_id, field="externalId"), kind,
        )  # fmt: skip

    return await told(context, doing())


async def _propose(context: Context, given: ProposeCoalitionInput) -> UUID:
    setup, now = await context.setup(), context.api.clock.now()
    program = await running(context, given.program)
    unit = unit_of(setup, given.unit)
    check_moves(program, unit.code, now)
    if given.partner == setup.slug:
        raise no_partner()
    terms = _terms(given, unit.places)
    found = await context.api.database.unscoped("select loyalty.tenant_of_slug($1)", given.partner)
    theirs = NIL if found is None else UUID(str(found))
    ident = agreeing.new_agreement()
    async with both(context.api.database, context.tenant_id, theirs) as sides:
        row = await (await sides.of(theirs)).fetchrow(THERE, "")
        if row["program_id"] is None:
            raise no_partner()
        halves = [
            Half(
                tenant_id=context.tenant_id, partner=row["slug"], partner_tenant_id=theirs,
                program_id=program.id, unit=unit.code, partner_unit=None, terms=terms.plain(),
                proposed_here=True,
            ),
            Half(
                tenant_id=theirs, partner=setup.slug, partner_tenant_id=context.tenant_id,
                program_id=row["program_id"], unit=None, partner_unit=unit.code,
                terms=terms.mirrored().plain(), proposed_here=False,
            ),
        ]  # fmt: skip
        for half in sorted(halves, key=lambda half: half.tenant_id):
            await agreeing.insert(
                await sides.of(half.tenant_id), ident, AgreementKind.COALITION, half,
                effective_from=given.effective_from or now, now=now,
            )  # fmt: skip
        connection = await sides.of(context.tenant_id)
        made = await agreements.by_id(connection, ident)
        assert made is not None, "it was just written"
        await agreeing.note(connection, context.actor, "partnership.propose", made, now, {})
    return ident


def _terms(given: ProposeCoalitionInput, places: int) -> Terms:
    """What is spent at the partner leaves here; what is earned there comes in."""
    if currency_places(given.currency) is None:
        raise Refused(
            Code.CURRENCY_NOT_LISTED, "is not an ISO 4217 currency code", field="currency"
        )
    if not 0 <= given.reversal_hours <= HOURS_MAX:
        raise texts.bad("reversalHours", f"must be 0 to {HOURS_MAX} hours")
    for name in ("earn_price", "burn_price"):
        parse_minor(getattr(given, name), PRICE_PLACES, field=name)
    cap = given.per_member_per_day
    limit = None if cap is None else parse_minor(cap, places, field="perMemberPerDay")

    def flow(price: str, limit: int | None) -> Flow:
        return Flow(
            burn=1, credit=1, places=places, giver_places=places, price=price,
            per_member_per_day=limit,
        )  # fmt: skip

    return Terms(
        currency=given.currency,
        give=flow(given.burn_price, limit),
        take=flow(given.earn_price, None),
        reversal_hours=given.reversal_hours,
    )
