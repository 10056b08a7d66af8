"""Statements, lines and positions: what each side sees of its own half."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.errors import Code, Refused
from loyalty.units import currency_places, format_minor
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.ids import node_id
from loyalty_graphql.paging import Connection
from loyalty_graphql.scalars import Decimal
from loyalty_partners import account, export, statement
from loyalty_partners.agreements import Agreement
from loyalty_partners.graphql import settling
from loyalty_partners.graphql.agreements import NODE, readable
from loyalty_partners.graphql.enums import ExportFormat, StatementState
from loyalty_partners.graphql.lines import PartnerLine, exported, shown_line
from loyalty_partners.graphql.settling import STATEMENT as STATEMENT
from loyalty_partners.period import Period, containing, period_of
from loyalty_partners.statement import Statement
from loyalty_tenants.principal import Role

EXPORT_MAX = 20_000


@strawberry.type
@reached
class PartnerStatement:
    """Our half of a month with a partner. Money is more than nothing where the partner owes us."""

    id: strawberry.ID | None
    """Opaque; the same on both sides. Null as long as nobody proposed it."""
    agreement: strawberry.ID
    """Id of the agreement."""
    period: str
    """The month, in UTC, such as 2026-03."""
    since: datetime
    """When it begins."""
    before: datetime
    """When it is over."""
    state: StatementState
    """Where it stands."""
    currency: str
    """ISO 4217 code."""
    opening: Decimal
    """What was owed before."""
    movements: Decimal
    """The price of the points that moved, with reversals and corrections."""
    fees: Decimal
    """What movements cost besides."""
    payments: Decimal
    """What was paid in this month."""
    disputes: Decimal
    """What disputed lines take out."""
    net: Decimal
    """What is to be paid: all of these together."""
    line_count: int
    """How many lines the month has."""
    proposed_by_us: bool | None
    """Whether our side proposed it; null: nobody did."""
    proposed_at: datetime | None
    """When it was proposed."""
    agreed_at: datetime | None
    """When the other side agreed."""
    settled_at: datetime | None
    """When it was paid."""
    payment_ref: str | None
    """What whoever was paid calls the payment."""


@strawberry.type
class StatementQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:read")
    @allow(Role.PARTNER, scope="partner:self")
    async def partner_statement(
        self, info: RequestInfo, agreement: strawberry.ID, period: str | None = None
    ) -> PartnerStatement | None:
        """The statement of a month, or what it would be; null where there is no such agreement.

        :param agreement: id of the agreement
        :param period: the month, such as 2026-03; null: the one that runs
        """
        context = info.context
        half, month = await readable(context, agreement), _period(context, period)
        if half is None or month is None:
            return None
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            made = await settling.current(connection, half.id, month)
        return shown_statement(made, brand=_brand(context))

    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:read")
    @allow(Role.PARTNER, scope="partner:self")
    async def partner_statements(
        self, info: RequestInfo, agreement: strawberry.ID
    ) -> list[PartnerStatement]:
        """The statements that were proposed, the newest month first.

        :param agreement: id of the agreement
        """
        context = info.context
        half = await readable(context, agreement)
        if half is None:
            return []
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await statement.of_agreement(connection, half.id)
        return [shown_statement(made, brand=_brand(context)) for made in found]

    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:read")
    @allow(Role.PARTNER, scope="partner:self")
    async def partner_lines(
        self, info: RequestInfo, agreement: strawberry.ID, period: str | None = None,
        first: int | None = None, after: str | None = None,
        last: int | None = None, before: str | None = None,
    ) -> Connection[PartnerLine]:  # fmt: skip
        """Lines of a clearing account, oldest first.

        :param agreement: id of the agreement
        :param period: the month, such as 2026-03; null: all of them
        :param first: how many, at most 100
        :param after: a cursor of this list
        :param last: how many from the end, at most 100
        :param before: a cursor of this list
        """
        context = info.context
        page = context.api.paging.page(
            context.tenant_id, "Query.partnerLines", first=first, after=after, last=last,
            before=before,
        )  # fmt: skip
        half, month = await readable(context, agreement), period and period_of(period)
        rows: Any = []
        if half is not None and (period is None or month):
            async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
                rows = await account.lines(
                    connection, half.id, period=month or None, beyond=_beyond(page.beyond),
                    count=page.fetch, backward=page.backward,
                )  # fmt: skip
        setup, brand = await context.setup(), _brand(context)
        return context.api.paging.connection(
            page, rows,
            node=lambda row: shown_line(row, setup, brand=brand),
            position=lambda row: (row["occurred_at"].isoformat(), str(row["id"])),
        )  # fmt: skip

    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="partners:read")
    @allow(Role.PARTNER, scope="partner:self")
    async def partner_statement_file(
        self, info: RequestInfo, agreement: strawberry.ID, period: str, format: ExportFormat
    ) -> str | None:
        """A month's statement with its lines as a file; null where there is no such agreement.

        :param agreement: id of the agreement
        :param period: the month, such as 2026-03
        :param format: how it is written
        """
        context = info.context
        half, month = await readable(context, agreement), period_of(period)
        if half is None or month is None:
            return None
        return await _file(context, half, month, format)


def _beyond(position: Any) -> tuple[datetime, UUID] | None:
    return position and (datetime.fromisoformat(position[0]), UUID(position[1]))


def _brand(context: Context) -> bool:
    return context.who.role is Role.PARTNER


def _period(context: Context, name: str | None) -> Period | None:
    return containing(context.api.clock.now()) if name is None else period_of(name)


async def _file(context: Context, half: Agreement, month: Period, format: ExportFormat) -> str:
    setup, brand = await context.setup(), _brand(context)
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        made = await settling.current(connection, half.id, month)
        rows = await account.lines(
            connection, half.id, period=month, beyond=None, count=EXPORT_MAX + 1
        )
    if len(rows) > EXPORT_MAX:
        raise Refused(
            Code.LIMIT_EXCEEDED, f"a file has at most {EXPORT_MAX} lines: read partnerLines"
        )
    lines = [exported(shown_line(row, setup, brand=brand)) for row in rows]
    figures = _exported(shown_statement(made, brand=brand), half)
    write = export.as_csv if format is ExportFormat.CSV else export.as_json
    return write(figures, lines)


def _exported(made: PartnerStatement, half: Agreement) -> dict[str, str | None]:
    return {
        "agreement": str(made.agreement), "partner": half.partner, "period": made.period,
        "state": made.state.value, "currency": made.currency, "opening": made.opening,
        "movements": made.movements, "fees": made.fees, "payments": made.payments,
        "disputes": made.disputes, "net": made.net,
    }  # fmt: skip


def shown_statement(made: Statement, *, brand: bool = False) -> PartnerStatement:
    made = settling.by_brand(made) if brand else made
    figures, places = made.figures, currency_places(made.figures.currency) or 0

    def money(minor: int) -> Decimal:
        return Decimal(format_minor(minor, places))

    return PartnerStatement(
        id=None if made.id is None else node_id(STATEMENT, made.id),
        agreement=node_id(NODE, made.agreement_id),
        period=made.period.name,
        since=made.period.since,
        before=made.period.before,
        state=made.state,
        currency=figures.currency,
        opening=money(figures.opening),
        movements=money(figures.movements),
        fees=money(figures.fees),
        payments=money(figures.payments),
        disputes=money(figures.disputes),
        net=money(figures.net),
        line_count=figures.lines,
        proposed_by_us=made.proposed_here,
        proposed_at=made.proposed_at,
        agreed_at=made.agreed_at,
        settled_at=made.settled_at,
        payment_ref=made.payment_ref,
    )
