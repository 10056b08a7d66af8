"""Quotes: what an exchange would come to, promised for some minutes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from loyalty import members
from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef
from loyalty.ids import new_id
from loyalty.units import MINOR_MAX, format_minor, parse_minor
from loyalty_graphql import texts
from loyalty_graphql.context import Context
from loyalty_partners import agreements
from loyalty_partners.agreements import Agreement, AgreementKind
from loyalty_partners.graphql.linking import linkable
from loyalty_partners.quote import Quote, quoted
from loyalty_partners.terms import Flow, Terms, terms_of

KEPT = timedelta(days=1)  # after its end, for whoever asks what was promised

_LINK = """
select id from loyalty.partners_link
 where tenant_id = (select loyalty.tenant()) and agreement_id = $1 and member_id = $2
   and state = 'ACTIVE'
"""
_KEEP = """
insert into loyalty.partners_quote
  (tenant_id, id, agreement_id, link_id, member_id, terms, offered, burned, fee, credited, owed,
   created_at, expires_at)
values (loyalty.tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_FORGET = """
delete from loyalty.partners_quote
 where tenant_id = (select loyalty.tenant()) and id in (
   select id from loyalty.partners_quote where tenant_id = (select loyalty.tenant())
      and expires_at < $1 order by expires_at limit 20)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """A quote that was kept."""

    id: UUID
    quote: Quote
    flow: Flow
    half: Agreement
    expires_at: datetime


async def promise(context: Context, agreement_id: UUID, ref: MemberRef, amount: str) -> Promised:
    """Work a quote out under the terms in force and keep it. Old ones are cleared away.

    :raises Refused: PARTNER_NOT_AVAILABLE, MEMBER_NOT_FOUND, BAD_AMOUNT
    """
    now, setup = context.api.clock.now(), await context.setup()
    async with context.api.database.tenant(context.tenant_id) as connection:
        half = await linkable(context, connection, agreement_id)
        member = await members.find(connection, ref)
        if member is None:
            raise Refused(Code.MEMBER_NOT_FOUND, "there is no such member", field="member")
        link = await connection.fetchval(_LINK, half.id, member.id)
        version = await agreements.in_force(connection, half.id, now)
        if link is None or version is None or half.kind is not AgreementKind.EXCHANGE:
            raise not_available()
        terms = terms_of(version.plain)
        quote = _worked_out(terms, half, setup.places(half.unit or "") or 0, amount)
        assert terms.give is not None, "it was worked out by it"
        program = setup.program_by_id(half.program_id)
        config = None if program is None else program.at(now)
        if config is None:
            raise not_available()
        ident, until = new_id(), now + config.config.quotes_last
        await connection.execute(_FORGET, now - KEPT)
        await connection.execute(
            _KEEP, ident, half.id, link, member.id, version.number, quote.offered, quote.burned,
            quote.fee, quote.credited, quote.owed, now, until,
        )  # fmt: skip
    return Promised(id=ident, quote=quote, flow=terms.give, half=half, expires_at=until)


def _worked_out(terms: Terms, half: Agreement, places: int, amount: str) -> Quote:
    offered = parse_minor(amount, places, field="amount")
    if terms.give is None:
        raise not_available()
    if offered < terms.give.minimum:
        least = format_minor(terms.give.minimum, places)
        raise texts.bad_amount("amount", f"must be at least {least} {half.unit}")
    quote = quoted(terms.give, offered, terms.currency)
    if quote is None:
        raise texts.bad_amount("amount", "is too little to become anything at the partner")
    if max(quote.credited, quote.owed) > MINOR_MAX:
        raise texts.bad_amount("amount", "is too much at once")
    return quote


def not_available(field: str = "agreement") -> Refused:
    return Refused(Code.PARTNER_NOT_AVAILABLE, "not possible with this partner now", field=field)


async def kept(connection: Any, quote_id: UUID, now: datetime) -> Any:
    """The row of a quote, with what stands of its agreement and terms; None: there is no such."""
    return await connection.fetchrow(
        """select q.*, a.partner_tenant_id, a.peer_id, a.partner, a.program_id, a.unit,
                  a.partner_unit, t.terms as plain, exists (
                    select from loyalty.partners_terms n
                     where n.tenant_id = t.tenant_id and n.agreement_id = t.agreement_id
                       and n.state = 'ACCEPTED' and n.effective_from <= $2
                       and (n.effective_from, n.number) > (t.effective_from, t.number))
                    as superseded
             from loyalty.partners_quote q
             join loyalty.partners_agreement a
               on (a.tenant_id, a.id) = (q.tenant_id, q.agreement_id)
             join loyalty.partners_terms t
               on (t.tenant_id, t.agreement_id, t.number) = (q.tenant_id, q.agreement_id, q.terms)
            where q.tenant_id = (select loyalty.tenant()) and q.id = $1""",
        quote_id,
        now,
    )
