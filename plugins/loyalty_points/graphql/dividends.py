"""Dividends: declared by an admin after the year, issued by a worker on their day."""

from datetime import datetime
from typing import Any

import strawberry

from loyalty_graphql.access import allow, money, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.scalars import Decimal
from loyalty_points.declared import Declared, declared, to_declare
from loyalty_points.holders import facts_of
from loyalty_tenants import audit
from loyalty_tenants.principal import Role


@strawberry.type
@reached
class Dividend:
    """A year's dividend as it was declared, and what came of it."""

    program: str
    """Slug of the program."""
    year: int
    """The calendar year whose base it is of."""
    percent: Decimal
    """The rate, in percent of the base."""
    base_unit: str
    """Code of the unit that the base is kept in."""
    unit: str
    """Code of the unit that it is given in."""
    declared_at: datetime
    """When this rate was declared."""
    issues_at: datetime
    """When it is given: the begin of its day, or when it was declared if that was later."""
    issued: bool
    """Whether everybody has it."""
    members: int | None
    """To how many members it was given; null before everybody has it."""
    amount: Decimal | None
    """What was given in all; null before everybody has it."""


@strawberry.input
class DeclareDividendInput:
    """The rate of a year."""

    program: str
    """Slug of the program."""
    year: int
    """A calendar year that is over."""
    percent: Decimal
    """The rate in percent of each member's base, such as "9.5"; "0" gives nothing."""


@strawberry.type
@reached
class DeclareDividendPayload:
    """A declared dividend."""

    dividend: Dividend | None
    """As it is declared now; null where nothing was done."""
    replayed: bool
    """Whether exactly this was declared before."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class DividendQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:read")
    async def dividends(self, info: RequestInfo, program: str) -> list[Dividend]:
        """The dividends that were declared for a program, the newest year first.

        :param program: slug of the program
        """
        return await _dividends(info.context, program)


@strawberry.type
class DividendMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:write")
    @money
    async def declare_dividend(
        self, info: RequestInfo, input: DeclareDividendInput
    ) -> DeclareDividendPayload:
        """Declare the rate of a year's dividend. Until it is issued another rate replaces it.

        :param input: which year, and the rate
        """
        done, refused = await attempted(_declare(info.context, input))
        if done is None:
            return DeclareDividendPayload(
                dividend=None, replayed=False, user_errors=user_errors(refused)
            )
        found = await _dividends(info.context, input.program)
        return DeclareDividendPayload(
            dividend=next((one for one in found if one.year == input.year), None),
            replayed=done == "replayed",
            user_errors=[],
        )


async def _declare(context: Context, given: DeclareDividendInput) -> str:
    setup, now = await context.setup(), context.api.clock.now()
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        fact = await to_declare(connection, setup, given.program, given.year, given.percent, now)
    if fact is None:
        return "replayed"
    recorded = await context.record(context.request(fact))
    if not recorded.replayed:
        async with context.api.database.tenant(context.tenant_id) as connection:
            await audit.write(
                connection,
                context.actor,
                action="dividend.declare",
                subject=f"program:{fact.program}",
                details={"year": fact.year, "percent": fact.percent, "revision": fact.revision},
                now=now,
            )
    return "replayed" if recorded.replayed else "declared"


async def _dividends(context: Context, program: str) -> list[Dividend]:
    setup = await context.setup()
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        found = await declared(connection, setup, program)
        issued = await facts_of(connection, [one.key for one in found])
    return [_shown(one, issued.get(one.key)) for one in reversed(found)]


def _shown(one: Declared, issued: Any) -> Dividend:
    return Dividend(
        program=one.program,
        year=one.year,
        percent=Decimal(one.percent),
        base_unit=one.base,
        unit=one.unit,
        declared_at=one.declared_at,
        issues_at=one.due_at,
        issued=issued is not None,
        members=None if issued is None else issued["members"],
        amount=None if issued is None else Decimal(issued["amount"]),
    )
