"""How agreements come about: proposed by one tenant, accepted by the other, ended by either."""

from typing import Any
from uuid import UUID

import strawberry

from loyalty.errors import Code, Refused
from loyalty.ids import NIL
from loyalty.recorder.pair import both
from loyalty_graphql import texts
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.units import unit_of
from loyalty_partners import agreements
from loyalty_partners.agreements import Agreement, AgreementKind
from loyalty_partners.graphql import agreeing, offering
from loyalty_partners.graphql.agreeing import Half, no_partner
from loyalty_partners.graphql.agreements import (
    PartnerAgreement,
    agreement_key,
    is_of,
    shown_agreement,
)
from loyalty_partners.graphql.partnership_input import (
    AcceptTermsInput,
    PartnershipInput,
    ProposeExchangeInput,
    ProposeTermsInput,
)
from loyalty_partners.graphql.programs import check_moves, running
from loyalty_partners.graphql.terms_input import read_terms
from loyalty_partners.remote.telling import (
    ACCEPT,
    CHANGE,
    STOPS,
    WITHDRAW,
    Call,
    named,
    tell,
)
from loyalty_tenants.principal import Role

# What the other tenant must have for a proposal to reach it, as it alone can see.
THERE = """
select (select p.id from loyalty.program p
         where p.tenant_id = (select loyalty.tenant()) and p.kind = 'partners'
           and p.status = 'ACTIVE' order by p.position, p.slug limit 1) as program_id,
       (select u.places from loyalty.unit u
         where u.tenant_id = (select loyalty.tenant()) and u.code = $1) as places,
       (select t.slug from loyalty.tenant t where t.tenant_id = (select loyalty.tenant())) as slug
"""


@strawberry.type
@reached
class PartnershipPayload:
    """An agreement after what was asked."""

    agreement: PartnerAgreement | None
    """As it is now; null where nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class PartnershipMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    async def propose_exchange(
        self, info: RequestInfo, input: ProposeExchangeInput
    ) -> PartnershipPayload:
        """Propose an exchange of points to another tenant. Nothing moves until it accepts.

        :param input: with whom, of what and at which terms
        """
        return await shown_partnership(info.context, _propose(info.context, input))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    async def propose_partner_terms(
        self, info: RequestInfo, input: ProposeTermsInput
    ) -> PartnershipPayload:
        """Propose other terms of an exchange. Those in force apply until these do.

        :param input: which agreement, what and from when
        """
        return await shown_partnership(info.context, _propose_terms(info.context, input))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    @allow(Role.PARTNER, scope="partner:self")
    @allow(Role.PARTNER, scope="partner:remote")
    async def accept_partner_terms(
        self, info: RequestInfo, input: AcceptTermsInput
    ) -> PartnershipPayload:
        """Accept terms that the partner proposed.

        :param input: which ones
        """
        return await shown_partnership(
            info.context, _judged(info.context, input, agreeing.accept, ACCEPT)
        )

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    @allow(Role.PARTNER, scope="partner:remote")
    async def withdraw_partner_terms(
        self, info: RequestInfo, input: AcceptTermsInput
    ) -> PartnershipPayload:
        """Withdraw terms that we proposed, as long as the partner has not accepted them.

        :param input: which ones
        """
        return await shown_partnership(
            info.context, _judged(info.context, input, agreeing.withdraw, WITHDRAW)
        )

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    @allow(Role.PARTNER, scope="partner:remote")
    async def suspend_partnership(
        self, info: RequestInfo, input: PartnershipInput
    ) -> PartnershipPayload:
        """Stop an agreement for a while: nothing moves. Only we can resume it. A partner elsewhere
        need not answer; sent again it is told again.

        :param input: which one
        """
        return await shown_partnership(info.context, _change(info.context, input, "suspend"))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    @allow(Role.PARTNER, scope="partner:remote")
    async def resume_partnership(
        self, info: RequestInfo, input: PartnershipInput
    ) -> PartnershipPayload:
        """Resume what we suspended; it moves again unless the partner suspended it as well.

        :param input: which one
        """
        return await shown_partnership(info.context, _change(info.context, input, "resume"))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    @allow(Role.PARTNER, scope="partner:remote")
    async def end_partnership(
        self, info: RequestInfo, input: PartnershipInput
    ) -> PartnershipPayload:
        """End an agreement for good. What is open is still settled. A partner elsewhere need not
        answer; sent again it is told again.

        :param input: which one
        """
        return await shown_partnership(info.context, _change(info.context, input, "end"))


async def shown_partnership(context: Context, doing: Any) -> PartnershipPayload:
    done, refused = await attempted(doing)
    if done is None:
        return PartnershipPayload(agreement=None, user_errors=user_errors(refused))
    context.written()
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        found = await agreements.by_id(connection, done)
    assert found is not None, "it was just written"
    return PartnershipPayload(agreement=shown_agreement(found), user_errors=[])


async def _propose(context: Context, given: ProposeExchangeInput) -> UUID:
    setup, now = await context.setup(), context.api.clock.now()
    program = await running(context, given.program)
    unit = unit_of(setup, given.unit)
    check_moves(program, unit.code, now)
    if given.partner == setup.slug:
        raise no_partner()
    if (peer := await named(context, given.partner)) is not None:
        return await offering.propose(context, given, peer, program, unit)
    found = await context.api.database.unscoped("select loyalty.tenant_of_slug($1)", given.partner)
    theirs = NIL if found is None else UUID(str(found))
    ident = agreeing.new_agreement()
    async with both(context.api.database, context.tenant_id, theirs) as sides:
        row = await (await sides.of(theirs)).fetchrow(THERE, given.partner_unit)
        if row["program_id"] is None or row["places"] is None:
            raise no_partner()
        terms = read_terms(given.terms, unit.places, row["places"])
        halves = [
            Half(
                tenant_id=context.tenant_id, partner=row["slug"], partner_tenant_id=theirs,
                program_id=program.id, unit=unit.code, partner_unit=given.partner_unit,
                terms=terms.plain(), proposed_here=True,
            ),
            Half(
                tenant_id=theirs, partner=setup.slug, partner_tenant_id=context.tenant_id,
                program_id=row["program_id"], unit=given.partner_unit, partner_unit=unit.code,
                terms=terms.mirrored().plain(), proposed_here=False,
            ),
        ]  # fmt: skip
        for half in sorted(halves, key=lambda half: half.tenant_id):
            await agreeing.insert(
                await sides.of(half.tenant_id), ident, AgreementKind.EXCHANGE, half,
                effective_from=given.effective_from or now, now=now,
            )  # fmt: skip
        connection = await sides.of(context.tenant_id)
        made = await agreements.by_id(connection, ident)
        assert made is not None, "it was just written"
        await agreeing.note(connection, context.actor, "partnership.propose", made, now, {})
    return ident


async def _propose_terms(context: Context, given: ProposeTermsInput) -> UUID:
    ident, now = agreement_key(given.agreement), context.api.clock.now()
    half = await ours(context, ident)
    if half.peer_id is not None:
        return await offering.propose_terms(context, given, half)
    if half.partner_tenant_id is None or half.unit is None or half.partner_unit is None:
        raise Refused(Code.AGREEMENT_STATE, "is of another kind", field="agreement")
    partner = half.partner_tenant_id
    async with both(context.api.database, context.tenant_id, partner) as sides:
        half = await agreeing.locked(sides, context.tenant_id, ident, partner)
        if half.state is agreements.AgreementState.ENDED:
            raise agreeing.wrong_state(half, "change")
        places = [
            await (await sides.of(tenant)).fetchval(
                """select places from loyalty.unit
                    where tenant_id = (select loyalty.tenant()) and code = $1""",
                unit,
            )
            for tenant, unit in ((context.tenant_id, half.unit), (partner, half.partner_unit))
        ]
        terms = read_terms(given.terms, *places)
        connection = await sides.of(context.tenant_id)
        (versions,) = (await agreements.terms_of_each(connection, [ident])).values()
        if terms.currency != versions[-1].plain["currency"]:
            raise texts.bad("terms.currency", "is settled in one currency: agree anew for another")
        number = 1 + versions[0].number
        for tenant in agreeing.both_of(context.tenant_id, half):
            here = tenant == context.tenant_id
            await agreeing.insert_terms(
                await sides.of(tenant), ident, number,
                (terms if here else terms.mirrored()).plain(),
                effective_from=given.effective_from or now, proposed_here=here, now=now,
            )  # fmt: skip
        await agreeing.note(
            await sides.of(context.tenant_id), context.actor, "partnership.terms", half, now,
            {"number": number},
        )  # fmt: skip
    return ident


async def _judged(context: Context, given: AcceptTermsInput, judge: Any, call: Call) -> UUID:
    """Accept terms, or withdraw them: as `judge` does it, and told to a brand elsewhere."""
    ident, now = agreement_key(given.agreement), context.api.clock.now()
    half = await ours(context, ident)
    there = context.who.role is Role.PARTNER
    if there and not is_of(context, half):
        raise agreeing.gone()
    partner = half.partner_tenant_id or context.tenant_id
    async with both(context.api.database, context.tenant_id, partner) as sides:
        half = await agreeing.locked(sides, context.tenant_id, ident, half.partner_tenant_id)
        await judge(sides, context.actor, context.tenant_id, half, given.number, now, there=there)
        told = {"agreement": given.agreement, "number": given.number}
        await tell(context, await sides.of(context.tenant_id), half, call, told)
    return ident


async def _change(context: Context, given: PartnershipInput, wanted: str) -> UUID:
    ident, now = agreement_key(given.agreement), context.api.clock.now()
    half = await ours(context, ident)
    there = context.who.role is Role.PARTNER
    if there and not is_of(context, half):
        raise agreeing.gone()
    partner = half.partner_tenant_id or context.tenant_id
    async with both(context.api.database, context.tenant_id, partner) as sides:
        half = await agreeing.locked(sides, context.tenant_id, ident, half.partner_tenant_id)
        await agreeing.change_state(
            sides, context.actor, context.tenant_id, half, wanted, now, there=there
        )
        told = {"agreement": given.agreement}
        try:
            await tell(context, await sides.of(context.tenant_id), half, CHANGE[wanted], told)
        except Refused:
            if wanted not in STOPS:
                raise
    return ident


async def ours(context: Context, ident: UUID) -> Agreement:
    """Our half, before anything is locked: whose the other one is never changes.

    :raises Refused: NOT_FOUND
    """
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        found = await agreements.by_id(connection, ident)
    if found is None:
        raise agreeing.gone()
    return found
