"""Exchanges agreed on with brands of other installations: each keeps its half, in its own words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.recorder.pair import both
from loyalty.setup import Program
from loyalty.units import Unit
from loyalty_graphql import texts
from loyalty_graphql.context import Context
from loyalty_graphql.ids import node_id
from loyalty_partners import agreements
from loyalty_partners.agreements import Agreement, AgreementKind, AgreementState
from loyalty_partners.graphql import agreeing
from loyalty_partners.graphql.agreements import NODE, agreement_key
from loyalty_partners.graphql.partnership_input import ProposeExchangeInput, ProposeTermsInput
from loyalty_partners.graphql.terms_input import ExchangeTermsInput, FlowInput, read_terms
from loyalty_partners.remote.telling import OFFER, OFFER_TERMS, ask, tell
from loyalty_partners.terms import Terms, terms_of
from loyalty_tenants.peers import Peer

HERE = """
select (select p.id from loyalty.program p
         where p.tenant_id = (select loyalty.tenant()) and p.kind = 'partners'
           and p.status = 'ACTIVE' order by p.position, p.slug limit 1) as program_id,
       (select u.places from loyalty.unit u
         where u.tenant_id = (select loyalty.tenant()) and u.code = $1) as places
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a brand elsewhere offers, in our words: `places` are those of its unit."""

    agreement_id: UUID
    unit: str
    partner_unit: str
    places: int
    terms: ExchangeTermsInput
    effective_from: datetime


async def propose(
    context: Context, given: ProposeExchangeInput, peer: Peer, program: Program, unit: Unit
) -> UUID:
    """Offer it there, and keep our half once theirs is kept.

    :raises Refused: PARTNER_NOT_AVAILABLE, BAD_AMOUNT, BAD_USER_INPUT
    """
    now, ident = context.api.clock.now(), agreeing.new_agreement()
    read_terms(given.terms, unit.places, unit.places)  # what is wrong by itself is not sent
    since = given.effective_from or now
    answer = await ask(context, peer, OFFER, {
        "agreement": node_id(NODE, ident), "unit": given.partner_unit, "partnerUnit": unit.code,
        "places": unit.places, "terms": _sent(given.terms), "effectiveFrom": since.isoformat(),
    })  # fmt: skip
    half = agreeing.Half(
        tenant_id=context.tenant_id, partner=peer.name, partner_tenant_id=None,
        program_id=program.id, unit=unit.code, partner_unit=given.partner_unit,
        terms=read_terms(given.terms, unit.places, _places(answer)).plain(), proposed_here=True,
        peer_id=peer.id,
    )  # fmt: skip
    await _insert(context, ident, half, since, now)
    return ident


async def offered(context: Context, offer: Offer, peer: Peer) -> int:
    """Keep our half of what a brand elsewhere offers: the places of our unit.

    :raises Refused: PARTNER_NOT_AVAILABLE, BAD_AMOUNT, ALREADY_EXISTS
    """
    now = context.api.clock.now()
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        known = await agreements.by_id(connection, offer.agreement_id)
        row = await connection.fetchrow(HERE, offer.unit)
    if row["program_id"] is None or row["places"] is None:
        raise agreeing.no_partner()
    places = int(row["places"])
    if known is not None:
        if known.peer_id != peer.id:
            raise Refused(Code.ALREADY_EXISTS, "is taken", field="agreement")
        return places
    half = agreeing.Half(
        tenant_id=context.tenant_id, partner=peer.name, partner_tenant_id=None,
        program_id=row["program_id"], unit=offer.unit, partner_unit=offer.partner_unit,
        terms=read_terms(offer.terms, places, offer.places).plain(), proposed_here=False,
        peer_id=peer.id,
    )  # fmt: skip
    await _insert(context, offer.agreement_id, half, offer.effective_from, now)
    return places


async def propose_terms(context: Context, given: ProposeTermsInput, half: Agreement) -> UUID:
    """Other terms of an exchange with a brand elsewhere, kept in both halves.

    :raises Refused: AGREEMENT_STATE, PARTNER_NOT_AVAILABLE, BAD_AMOUNT, BAD_USER_INPUT
    """
    now, since = context.api.clock.now(), given.effective_from or context.api.clock.now()
    ident = agreement_key(given.agreement)
    async with both(context.api.database, context.tenant_id, context.tenant_id) as sides:
        half = await agreeing.locked(sides, context.tenant_id, ident, None)
        connection = await sides.of(context.tenant_id)
        number, terms = await _next(connection, half, given.terms)
        await agreeing.insert_terms(
            connection, ident, number, terms.plain(), effective_from=since, proposed_here=True,
            now=now,
        )  # fmt: skip
        await agreeing.note(
            connection, context.actor, "partnership.terms", half, now, {"number": number}
        )
        await tell(context, connection, half, OFFER_TERMS, {
            "agreement": given.agreement, "number": number, "terms": _sent(given.terms),
            "effectiveFrom": since.isoformat(),
        })  # fmt: skip
    return ident


async def offered_terms(
    context: Context, ident: UUID, number: int, given: ExchangeTermsInput, since: datetime
) -> None:
    """Keep terms that a brand elsewhere proposes.

    :raises Refused: AGREEMENT_STATE, BAD_AMOUNT, BAD_USER_INPUT
    """
    now = context.api.clock.now()
    async with both(context.api.database, context.tenant_id, context.tenant_id) as sides:
        half = await agreeing.locked(sides, context.tenant_id, ident, None)
        connection = await sides.of(context.tenant_id)
        known = (await agreements.terms_of_each(connection, [ident]))[ident]
        expected, terms = await _next(connection, half, given)
        there = known[0].number == number and not known[0].proposed_here
        if there and known[0].plain == terms.plain():
            return
        if number != expected:
            raise Refused(
                Code.AGREEMENT_STATE, "other terms were proposed meanwhile: look at them first",
                field="agreement",
            )  # fmt: skip
        await agreeing.insert_terms(
            connection, ident, number, terms.plain(), effective_from=since, proposed_here=False,
            now=now,
        )  # fmt: skip


async def _next(connection: Any, half: Agreement, given: ExchangeTermsInput) -> tuple[int, Terms]:
    if half.state is AgreementState.ENDED:
        raise agreeing.wrong_state(half, "change")
    (versions,) = (await agreements.terms_of_each(connection, [half.id])).values()
    first = terms_of(versions[-1].plain)
    if given.currency != first.currency:
        raise texts.bad("terms.currency", "is settled in one currency: agree anew for another")
    flow, turned = first.give, first.take
    if flow is not None:
        places = flow.giver_places, flow.places
    else:
        assert turned is not None, "one direction is agreed on at least"
        places = turned.places, turned.giver_places
    return 1 + versions[0].number, read_terms(given, *places)


async def _insert(
    context: Context, ident: UUID, half: agreeing.Half, since: datetime, now: datetime
) -> None:
    async with context.api.database.tenant(context.tenant_id) as connection:
        await agreeing.insert(
            connection, ident, AgreementKind.EXCHANGE, half, effective_from=since, now=now
        )
        made = await agreements.by_id(connection, ident)
        assert made is not None, "it was just written"
        await agreeing.note(connection, context.actor, "partnership.propose", made, now, {})


def _places(answer: Any) -> int:
    places = answer["places"]
    if not isinstance(places, int) or not 0 <= places <= 18:
        raise agreeing.no_partner()
    return places


def _sent(terms: ExchangeTermsInput) -> dict[str, Any]:
    """The same as the other side reads them: what we give it takes."""
    return {
        "currency": terms.currency, "reversalHours": terms.reversal_hours,
        "give": _flow(terms.take), "take": _flow(terms.give),
    }  # fmt: skip


def _flow(flow: FlowInput | None) -> dict[str, Any] | None:
    return None if flow is None else {
        "burn": flow.burn, "credit": flow.credit, "price": flow.price, "charge": flow.charge,
        "fee": flow.fee, "minimum": flow.minimum, "perMemberPerDay": flow.per_member_per_day,
        "perDay": flow.per_day,
    }  # fmt: skip
