"""Settlement: statements proposed, agreed on and paid, lines disputed; both halves at once."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from loyalty.errors import Code, Refused
from loyalty.ids import new_id
from loyalty.recorder.pair import Both, both
from loyalty.units import currency_places, format_minor
from loyalty_graphql.context import Context
from loyalty_graphql.ids import node_id
from loyalty_partners import account, agreements, statement
from loyalty_partners.agreements import Agreement
from loyalty_partners.graphql import agreeing
from loyalty_partners.graphql.agreements import NODE, is_of
from loyalty_partners.movement import MovementKind
from loyalty_partners.period import Period
from loyalty_partners.remote import telling
from loyalty_partners.remote.telling import Call
from loyalty_partners.statement import Statement, StatementState
from loyalty_tenants.principal import Role

STATEMENT = "PartnerStatement"
LATE = timedelta(minutes=5)  # what was under way when the month ended is written by then

_UNDER_WAY = """
select exists (select from loyalty.partners_leg
 where tenant_id = (select loyalty.tenant()) and agreement_id = $1 and happened_at < $2
   and due_at is not null and (state in ('PENDING', 'WRITTEN_OFF') or reversal = 'TAKEN'))
"""
BOOK = """
insert into loyalty.partners_movement
  (tenant_id, id, agreement_id, kind, of_id, currency, amount, terms, ref, occurred_at, recorded_at)
values (loyalty.tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
"""


@dataclass(frozen=True, slots=True)
class Table:
    """Both sides of an agreement at one table, its halves locked. `us` says whose side the caller
    is on: an outside brand keeps no half of its own, and sits on the other side of ours."""

    context: Context
    sides: Both
    half: Agreement
    now: datetime

    @property
    def us(self) -> bool:
        return self.context.who.role is not Role.PARTNER

    @property
    def from_elsewhere(self) -> bool:
        """Whether a brand of another installation asks, whose half is kept there."""
        return self.context.who.peer is not None

    async def each(self) -> AsyncIterator[tuple[Any, bool]]:
        """The connection of each half, and whether the caller sits on the side of that half."""
        ours = self.context.tenant_id
        for tenant_id in agreeing.both_of(ours, self.half):
            yield await self.sides.of(tenant_id), tenant_id == ours and self.us

    async def ours(self) -> Any:
        return await self.sides.of(self.context.tenant_id)

    async def tell(self, call: Call, given: Mapping[str, Any]) -> Any:
        """Have a partner elsewhere do the same on its side, before ours is committed.

        :raises Refused: as the partner refuses; PARTNER_NOT_AVAILABLE
        """
        return await telling.tell(self.context, await self.ours(), self.half, call, given)

    def named(self, what: str) -> UUID:
        """A new id; with a partner elsewhere, the one that both sides give it by themselves."""
        return new_id() if self.half.peer_id is None else uuid5(self.half.id, what)

    async def note(self, action: str, details: Any) -> None:
        connection = await self.ours()
        await agreeing.note(connection, self.context.actor, action, self.half, self.now, details)


@asynccontextmanager
async def table(
    context: Context, agreement_id: UUID, at: datetime | None = None
) -> AsyncIterator[Table]:
    """`at`: when a partner elsewhere did the same, which is when it happened here.

    :raises Refused: NOT_FOUND, also for an agreement of another outside brand
    """
    now = context.api.clock.now()
    if at is not None and context.who.peer is not None:
        if abs(at - now) > LATE:
            raise Refused(Code.BAD_USER_INPUT, "the clocks of both sides differ", field="at")
        now = at
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        half = await agreements.by_id(connection, agreement_id)
    if half is None or (context.who.role is Role.PARTNER and not is_of(context, half)):
        raise agreeing.gone()
    partner = half.partner_tenant_id
    async with both(context.api.database, context.tenant_id, partner or context.tenant_id) as sides:
        half = await agreeing.locked(sides, context.tenant_id, agreement_id, partner)
        yield Table(context, sides, half, now)


async def propose(context: Context, agreement_id: UUID, period: Period) -> Statement:
    """A statement of a month that is over; one that was proposed already stays as it is.

    :raises Refused: NOT_FOUND, STATEMENT_STATE
    """
    async with table(context, agreement_id) as seats:
        connection = await seats.ours()
        known = await statement.by_period(connection, agreement_id, period)
        if known is not None:
            return known
        if seats.now < period.before + LATE:
            raise wrong("period", "is not over yet: a statement is of a whole month")
        later = await statement.of_agreement(connection, agreement_id)
        if later and later[0].period.since > period.since:
            raise wrong("period", "a later month was stated, which carries this one")
        if await connection.fetchval(_UNDER_WAY, agreement_id, period.before):
            raise wrong("period", "exchanges of it are under way: try again in a while")
        currency = await _currency(connection, agreement_id)
        ident = seats.named(f"statement:{period.name}")
        found: list[int] = []
        async for connection, here in seats.each():
            made = Statement(
                id=ident, agreement_id=agreement_id, period=period, state=StatementState.PROPOSED,
                figures=await account.figures(connection, agreement_id, currency, period),
                proposed_here=here, proposed_at=seats.now,
            )  # fmt: skip
            await statement.insert(connection, made)
            if made.figures.disputes:
                await statement.refresh(connection, ident, made.figures.disputes)
            found.append(made.figures.net)
        if len(found) == 2 and sum(found) != 0:
            raise RuntimeError(f"the halves of statement {ident} differ: {found}")
        await seats.note("statement.propose", {"period": period.name})
        told = {"agreement": node_id(NODE, agreement_id), "period": period.name}
        answer = await seats.tell(telling.PROPOSE, told)
        places = currency_places(currency) or 0
        if answer and answer["statement"]["net"] != format_minor(found[0], places):
            raise wrong("period", "the halves differ: see what comparing the days found")
        return await _read(await seats.ours(), ident)


async def agree(context: Context, statement_id: UUID) -> Statement:
    """Agree on what the other side proposed; lines that are disputed are not a part of it.

    :raises Refused: NOT_FOUND, STATEMENT_STATE
    """
    known = await _known(context, statement_id)
    async with table(context, known.agreement_id) as seats:
        known = await _read(await seats.ours(), statement_id)
        if known.agreed_at is not None:
            return known
        if known.proposed_here is seats.us:
            raise wrong("statement", "was proposed by your own side: the other one agrees")
        async for connection, _ in seats.each():
            await statement.agree(connection, statement_id, seats.now)
        await seats.note("statement.agree", {"period": known.period.name})
        await seats.tell(telling.AGREE, {"statement": node_id(STATEMENT, statement_id)})
        return await _read(await seats.ours(), statement_id)


async def settle(
    context: Context, statement_id: UUID, ref: str, at: datetime | None = None
) -> Statement:
    """Say that a statement was paid. Whoever is paid says so; what it carries is paid with it.

    :raises Refused: NOT_FOUND, STATEMENT_STATE
    """
    known = await _known(context, statement_id)
    async with table(context, known.agreement_id, at) as seats:
        known = await _read(await seats.ours(), statement_id)
        if known.state is StatementState.SETTLED:
            return known
        if known.agreed_at is None:
            raise wrong("statement", "is not agreed on yet")
        open_ones = await statement.unsettled(await seats.ours(), known.agreement_id)
        if open_ones[-1].id != known.id:
            raise wrong("statement", "a later statement carries it: settle that one")
        net = known.figures.net if seats.us else -known.figures.net
        if net < 0:
            raise wrong("statement", "whoever is paid says so, and that is the other side")
        assert known.id is not None, "it was read"
        async for connection, _ in seats.each():
            half = await _read(connection, statement_id)
            if half.figures.net:
                await connection.execute(
                    BOOK, uuid5(known.id, "settlement"), known.agreement_id,
                    MovementKind.SETTLEMENT.value, known.id, half.figures.currency,
                    -half.figures.net, 1, ref, seats.now,
                )  # fmt: skip
            await statement.settle(
                connection, [one.id for one in open_ones if one.id], seats.now, ref
            )
        await seats.note("statement.settle", {"period": known.period.name, "ref": ref})
        told = {
            "statement": node_id(STATEMENT, known.id), "paymentRef": ref,
            "at": seats.now.isoformat(),
        }  # fmt: skip
        await seats.tell(telling.SETTLE, told)
        return await _read(await seats.ours(), statement_id)


async def _known(context: Context, statement_id: UUID) -> Statement:
    """One that the caller has a side in: another brand's is not there."""
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        found = await _read(connection, statement_id)
        half = await agreements.by_id(connection, found.agreement_id)
    assert half is not None, "it is of one"
    if context.who.role is Role.PARTNER and not is_of(context, half):
        raise _gone()
    return found


async def _read(connection: Any, statement_id: UUID) -> Statement:
    found = await statement.by_id(connection, statement_id)
    if found is None:
        raise _gone()
    return found


def _gone() -> Refused:
    return Refused(Code.NOT_FOUND, "there is no such statement", field="statement")


async def current(connection: Any, agreement_id: UUID, period: Period) -> Statement:
    """The statement of a period, or what it would be: then it is OPEN."""
    known = await statement.by_period(connection, agreement_id, period)
    if known is not None:
        return known
    currency = await _currency(connection, agreement_id)
    made = await account.figures(connection, agreement_id, currency, period)
    return Statement(
        id=None, agreement_id=agreement_id, period=period, figures=made, state=StatementState.OPEN
    )


async def _currency(connection: Any, agreement_id: UUID) -> str:
    (versions,) = (await agreements.terms_of_each(connection, [agreement_id])).values()
    return str(versions[0].plain["currency"])


def wrong(field: str, message: str) -> Refused:
    return Refused(Code.STATEMENT_STATE, message, field=field)


def by_brand(made: Statement) -> Statement:
    """Our half as the outside brand reads it: from the other side."""
    figures = made.figures
    turned = replace(
        figures, opening=-figures.opening, movements=-figures.movements, fees=-figures.fees,
        payments=-figures.payments, disputes=-figures.disputes,
    )  # fmt: skip
    proposed = None if made.proposed_here is None else not made.proposed_here
    return replace(made, figures=turned, proposed_here=proposed)
