"""Exchanges that a partner elsewhere never spoke of: written off by two persons, for a reason.

The partner is asked once more before it is done. What was approved and not done, because a process
died in between, is done when it is approved again.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef
from loyalty.ids import NIL
from loyalty.settlement.request import Request
from loyalty.setup import Setup
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.ids import uuid_of
from loyalty_partners.facts import SendingWrittenOff
from loyalty_partners.graphql import sending
from loyalty_partners.graphql.exchanges import EXCHANGE, ExchangePayload, told
from loyalty_partners.graphql.exchanging import LINE
from loyalty_partners.legs import LegState
from loyalty_partners.movement import write_off_key
from loyalty_partners.remote import write_off
from loyalty_partners.remote.carrying import REDEMPTION, patience
from loyalty_partners.remote.leg_row import LegRow, legs_of
from loyalty_tenants import audit
from loyalty_tenants.principal import Role


@strawberry.input
class AskWriteOffInput:
    """Which exchange is to be written off, and why."""

    exchange: strawberry.ID
    """Of the exchange."""
    reason: str
    """Kept with it, and with what the member is told."""


@strawberry.input
class DecideWriteOffInput:
    """Which exchange, and whether it is written off."""

    exchange: strawberry.ID
    """Of the exchange."""
    approve: bool
    """Give the points back; false: nobody asks for it any more."""


@strawberry.type
class WriteOffMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    async def ask_exchange_write_off(
        self, info: RequestInfo, input: AskWriteOffInput
    ) -> ExchangePayload:
        """Ask that an exchange is written off of which a partner elsewhere has not spoken for long.
        A second person decides.

        :param input: which one, and why
        """
        context = info.context
        return await told(context, _asked(context, input))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="approvals:write")
    @money
    async def decide_exchange_write_off(
        self, info: RequestInfo, input: DecideWriteOffInput
    ) -> ExchangePayload:
        """Write an exchange off that somebody else asked for: the points go back to the member, and
        the program bears it if the partner credited them. It is asked once more before. Or drop it.

        :param input: which one, and whether it is done
        """
        context = info.context
        return await told(context, _decided(context, input))


async def _asked(context: Context, given: AskWriteOffInput) -> tuple[Any, bool]:
    ident, now = _key(given.exchange), context.api.clock.now()
    reason = texts.words(given.reason, field="reason", longest=1000)
    setup = await context.setup()
    async with context.api.database.tenant(context.tenant_id) as connection:
        leg = await _leg(connection, ident)
        _check_long_enough(leg, setup, now)
        known = await write_off.of(connection, ident, lock=True)
        if known is None:
            await write_off.ask(
                connection, ident, reason, context.actor.subject, context.who.client, now
            )
            await _note(context, connection, "ask", ident, {"reason": reason})
        return await connection.fetchrow(LINE, ident), known is not None


async def _decided(context: Context, given: DecideWriteOffInput) -> tuple[Any, bool]:
    ident = _key(given.exchange)
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        leg, known = await _leg(connection, ident), await write_off.of(connection, ident)
        line = await connection.fetchrow(LINE, ident)
    if leg.state is not LegState.PENDING and known is not None and given.approve:
        return line, True
    if known is None:
        raise Refused(Code.NOT_FOUND, "nobody asked to write this off", field="exchange")
    if not given.approve:
        return await _dropped(context, ident), False
    if known.asked_client == context.who.client and known.approved_at is None:
        raise Refused(
            Code.SAME_PERSON, "somebody else must approve what you asked for", field="exchange"
        )
    after = await sending.carried_on(context, line, refuse=False)
    if after["leg"] != LegState.PENDING:  # it spoke after all
        return after, False
    await _approved(context, ident)
    return await _written_off(context, leg, known.reason), False


async def _approved(context: Context, ident: UUID) -> None:
    now = context.api.clock.now()
    async with context.api.database.tenant(context.tenant_id) as connection:
        known = await write_off.of(connection, ident, lock=True)
        if known is None:
            raise Refused(Code.NOT_FOUND, "nobody asked to write this off", field="exchange")
        if known.approved_at is None:
            who = context.actor.subject, context.who.client
            await write_off.approve(connection, ident, *who, now)
            await _note(context, connection, "approve", ident, {"askedBy": known.asked_by})


async def _dropped(context: Context, ident: UUID) -> Any:
    async with context.api.database.tenant(context.tenant_id) as connection:
        known = await write_off.of(connection, ident, lock=True)
        if known is not None and known.approved_at is not None:
            raise Refused(Code.ALREADY_DECIDED, "it is approved already", field="exchange")
        await write_off.drop(connection, ident)
        await _note(context, connection, "drop", ident, {})
        return await connection.fetchrow(LINE, ident)


async def _written_off(context: Context, leg: LegRow, reason: str) -> Any:
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        redemption = await connection.fetchval(REDEMPTION, leg.fact_id)
    fact = SendingWrittenOff(
        member=MemberRef(id=leg.member_id), occurred_at=context.api.clock.now(),
        redemption_id=redemption or NIL, reason=reason, movement_id=leg.id,
    )  # fmt: skip
    try:
        await context.record(
            Request(
                fact=fact, actor=context.actor_name, request_id=context.request_id,
                key=write_off_key(leg.id), any_time=True, while_suspended=True,
            )
        )  # fmt: skip
    except Refused as refused:
        if refused.code is not Code.IDEMPOTENCY_MISMATCH:  # else somebody was first
            raise
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        return await connection.fetchrow(LINE, leg.id)


def _key(ident: str) -> UUID:
    return uuid_of(ident, EXCHANGE, field="exchange")


async def _leg(connection: Any, ident: UUID) -> LegRow:
    found = await legs_of(connection, [ident])
    if not found or not found[0].outgoing:
        raise Refused(Code.NOT_FOUND, "there is no such exchange", field="exchange")
    return found[0]


def _check_long_enough(leg: LegRow, setup: Setup, now: datetime) -> None:
    if leg.state is not LegState.PENDING:
        raise Refused(
            Code.NOT_REVERSIBLE, f"is {leg.state}: the partner has spoken", field="exchange"
        )
    after = patience(setup, leg.program_id, now).written_off_after
    if now < leg.happened_at + after:
        raise Refused(
            Code.NOT_REVERSIBLE,
            f"a partner has {after.total_seconds() / 3600:g} hours to speak", field="exchange",
        )  # fmt: skip


async def _note(
    context: Context, connection: Any, action: str, ident: UUID, details: dict[str, Any]
) -> None:
    await audit.write(
        connection, context.actor, action=f"exchange.write_off.{action}",
        subject=f"exchange:{ident}", now=context.api.clock.now(), details=details,
    )  # fmt: skip
