"""What the people who settle do: propose, agree, dispute, pay."""

from datetime import datetime
from typing import Any

import strawberry

from loyalty_graphql import texts
from loyalty_graphql.access import allow, money, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import node_id, uuid_of
from loyalty_graphql.outcomes import attempted
from loyalty_partners.graphql import disputing, settling
from loyalty_partners.graphql.agreements import agreement_key
from loyalty_partners.graphql.lines import DISPUTE, LINE
from loyalty_partners.graphql.statements import STATEMENT, PartnerStatement, shown_statement
from loyalty_partners.period import Period, period_of
from loyalty_partners.statement import Statement
from loyalty_tenants.principal import Role


@strawberry.input
class ProposeStatementInput:
    """Which month."""

    agreement: strawberry.ID
    """Of the agreement."""
    period: str
    """The month, in UTC, such as 2026-03."""


@strawberry.input
class AgreeStatementInput:
    """Which statement."""

    statement: strawberry.ID
    """Of the statement."""


@strawberry.input
class SettleStatementInput:
    """Which statement was paid."""

    statement: strawberry.ID
    """Of the statement."""
    payment_ref: str
    """What the payment is called, such as its bank reference."""
    at: datetime | None = None
    """When it was said; only a brand of another installation says it, for both halves."""


@strawberry.input
class DisputeLineInput:
    """Which line, and why."""

    agreement: strawberry.ID
    """Of the agreement."""
    line: strawberry.ID
    """Of the line."""
    reason: str
    """What is wrong with it; the other side reads it."""


@strawberry.input
class DecideDisputeInput:
    """Which dispute, and how it ends."""

    agreement: strawberry.ID
    """Of the agreement."""
    dispute: strawberry.ID
    """Of the dispute."""
    accept: bool
    """Accept the other side's, which takes the line back; false: withdraw one's own."""
    at: datetime | None = None
    """When it was said; only a brand of another installation says it, for both halves."""


@strawberry.type
@reached
class StatementPayload:
    """A statement after what was asked."""

    statement: PartnerStatement | None
    """As it is now; null where nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
@reached
class DisputePayload:
    """A dispute after what was asked."""

    dispute: strawberry.ID | None
    """Its id; null where nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class SettlementMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    @allow(Role.PARTNER, scope="partner:self")
    @allow(Role.PARTNER, scope="partner:remote")
    async def propose_statement(
        self, info: RequestInfo, input: ProposeStatementInput
    ) -> StatementPayload:
        """Propose the statement of a month that is over. One that stands is answered as it is.

        :param input: which month
        """
        return await _stated(info.context, _propose(info.context, input))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    @allow(Role.PARTNER, scope="partner:self")
    @allow(Role.PARTNER, scope="partner:remote")
    async def agree_statement(
        self, info: RequestInfo, input: AgreeStatementInput
    ) -> StatementPayload:
        """Agree on the statement that the other side proposed; disputed lines are left out.

        :param input: which statement
        """
        context = info.context

        async def agreed() -> Statement:
            ident = uuid_of(input.statement, STATEMENT, field="statement")
            return await settling.agree(context, ident)

        return await _stated(context, agreed())

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    @allow(Role.PARTNER, scope="partner:self")
    @allow(Role.PARTNER, scope="partner:remote")
    @money
    async def settle_statement(
        self, info: RequestInfo, input: SettleStatementInput
    ) -> StatementPayload:
        """Say that a statement was paid; whoever is paid says so. What it carries is settled too.

        :param input: which statement, and by which payment
        """
        context = info.context

        async def settled() -> Statement:
            ident = uuid_of(input.statement, STATEMENT, field="statement")
            ref = texts.words(input.payment_ref, field="paymentRef")
            return await settling.settle(context, ident, ref, input.at)

        return await _stated(context, settled())

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    @allow(Role.PARTNER, scope="partner:self")
    @allow(Role.PARTNER, scope="partner:remote")
    async def dispute_partner_line(
        self, info: RequestInfo, input: DisputeLineInput
    ) -> DisputePayload:
        """Dispute a line: it is open again and left out of what is paid. All others stand.

        :param input: which line, and why
        """
        return await _disputed(_dispute(info.context, input))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:write")
    @allow(Role.PARTNER, scope="partner:self")
    @allow(Role.PARTNER, scope="partner:remote")
    async def decide_partner_dispute(
        self, info: RequestInfo, input: DecideDisputeInput
    ) -> DisputePayload:
        """Accept a dispute of the other side: its line is taken back. Or withdraw one's own.

        :param input: which dispute, and how it ends
        """
        return await _disputed(_decide(info.context, input))


async def _stated(context: Context, doing: Any) -> StatementPayload:
    done, refused = await attempted(doing)
    shown = None
    if done is not None:
        shown = shown_statement(done, brand=context.who.role is Role.PARTNER)
    return StatementPayload(statement=shown, user_errors=user_errors(refused))


async def _disputed(doing: Any) -> DisputePayload:
    done, refused = await attempted(doing)
    ident = None if done is None else node_id(DISPUTE, done)
    return DisputePayload(dispute=ident, user_errors=user_errors(refused))


async def _propose(context: Context, given: ProposeStatementInput) -> Statement:
    month: Period | None = period_of(given.period)
    if month is None:
        raise texts.bad("period", "name a month, such as 2026-03")
    return await settling.propose(context, agreement_key(given.agreement), month)


async def _dispute(context: Context, given: DisputeLineInput) -> Any:
    reason = texts.words(given.reason, field="reason", longest=1000)
    line = uuid_of(given.line, LINE, field="line")
    return await disputing.dispute(context, agreement_key(given.agreement), line, reason)


async def _decide(context: Context, given: DecideDisputeInput) -> Any:
    ident = uuid_of(given.dispute, DISPUTE, field="dispute")
    agreement = agreement_key(given.agreement)
    await disputing.decide(context, agreement, ident, accept=given.accept, at=given.at)
    return ident
