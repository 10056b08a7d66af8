"""What all members together have, when it ends, and what it costs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction

import strawberry

from loyalty.ledger.outstanding import Group, Outstanding, outstanding
from loyalty.setup import Setup
from loyalty.units import Unit, currency_places, format_minor
from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.changes import changing
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.scalars import Decimal
from loyalty_graphql.units import unit_of
from loyalty_tenants.desk.costs import OF_THE_UNIT, Cost, costs, set_cost
from loyalty_tenants.principal import Role


@strawberry.type
@reached
class LiabilityCost:
    """An amount of money."""

    currency: str
    """ISO 4217."""
    amount: Decimal
    """How much: what things cost rounded half up once, what one costs as it was set."""


@strawberry.type
@reached
class LiabilityGroup:
    """What one program gave, of one accounting class, that ends in one month."""

    program: str | None
    """Slug of the program; null: given by hand."""
    accounting_class: str | None
    """What it is to the books; null: reserved, so it has left its lots."""
    expiry_month: str | None
    """The month in which it can last be used, in the tenant's zone, such as 2027-03; null: it never
    ends, or it is reserved and does not end now."""
    available: Decimal
    """What can be spent."""
    pending: Decimal
    """What can be spent later."""
    held: Decimal
    """What is reserved."""
    total: Decimal
    """The three together."""
    cost: LiabilityCost | None
    """What it costs; null where no cost was set for that instant."""


@strawberry.type
@reached
class Liability:
    """What all members together have of a unit."""

    unit: str
    """Code of the unit."""
    as_of: datetime
    """What had happened by then is counted, as it is known now."""
    available: Decimal
    """What can be spent."""
    pending: Decimal
    """What can be spent later."""
    held: Decimal
    """What is reserved."""
    deficit: Decimal
    """What members owe; their next grants repay it."""
    total: Decimal
    """Available, pending and held together."""
    costs: list[LiabilityCost]
    """What it costs, by currency: of the exact sums, rounded once."""
    groups: list[LiabilityGroup]
    """By expiry month, program and accounting class."""


@strawberry.input
class SetPointCostInput:
    """What one whole unit costs."""

    unit: str
    """Code of the unit."""
    cost: Decimal
    """Money for one, such as `0.008`; at most 9 decimal places."""
    currency: str
    """ISO 4217."""
    program: str | None = None
    """Slug of a program, for what it gives; null: for what has no cost of its own."""
    since: datetime | None = None
    """From when on; null: from now."""


@strawberry.type
@reached
class PointCostPayload:
    """A cost after it was set."""

    cost: LiabilityCost | None
    """For one whole unit, exactly as it was set; null where nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class LiabilityQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="members:read")
    async def liability(
        self, info: RequestInfo, unit: str, as_of: datetime | None = None
    ) -> Liability | None:
        """What all members together have of a unit, when it ends and what it costs. Null for what
        is no unit of the tenant, and an error says so.

        :param unit: code of the unit
        :param as_of: count what had happened by then; default: now
        """
        context, setup = info.context, await info.context.setup()
        of, at = unit_of(setup, unit), as_of or info.context.api.clock.now()
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await outstanding(connection, of.code, at=at, zone=setup.zone.key)
            known = await costs(connection, of.code, at)
        return _liability(found, known, of, at, setup)


@strawberry.type
class LiabilityMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:write")
    async def set_point_cost(self, info: RequestInfo, input: SetPointCostInput) -> PointCostPayload:
        """Say what a unit costs, for `liability`. An earlier cost stays in force before it.

        :param input: the cost
        """
        made, refused = await attempted(_set(info.context, input))
        if made is None:
            return PointCostPayload(cost=None, user_errors=user_errors(refused))
        shown = LiabilityCost(currency=made.currency, amount=Decimal(made.each))
        return PointCostPayload(cost=shown, user_errors=[])


async def _set(context: Context, given: SetPointCostInput) -> Cost:
    unit, now = unit_of(await context.setup(), given.unit), context.api.clock.now()
    async with changing(context) as connection:
        return await set_cost(
            connection, context.actor, unit=unit.code, program=given.program, cost=given.cost,
            currency=given.currency, since=given.since or now, now=now,
        )  # fmt: skip


def _liability(
    found: Outstanding, known: Mapping[str, Cost], unit: Unit, at: datetime, setup: Setup
) -> Liability:
    def shown(minor: int) -> Decimal:
        return Decimal(format_minor(minor, unit.places))

    groups = found.groups
    return Liability(
        unit=unit.code,
        as_of=at,
        available=shown(sum(group.available for group in groups)),
        pending=shown(sum(group.pending for group in groups)),
        held=shown(sum(group.held for group in groups)),
        deficit=shown(found.deficit),
        total=shown(sum(group.total for group in groups)),
        costs=_costs(groups, known, unit, setup),
        groups=[_group(group, known, unit, setup) for group in groups],
    )


def _costs(
    groups: Sequence[Group], known: Mapping[str, Cost], unit: Unit, setup: Setup
) -> list[LiabilityCost]:
    exact: dict[str, Fraction] = {}
    each: dict[str, Cost] = {}
    for group in groups:
        if (cost := _cost_of(group, known, setup)) is not None:
            each[cost.currency] = cost
            so_far = exact.get(cost.currency, Fraction(0))
            exact[cost.currency] = so_far + cost.of(group.total, unit.places)
    return [_money(each[currency], exact[currency]) for currency in sorted(exact)]


def _group(group: Group, known: Mapping[str, Cost], unit: Unit, setup: Setup) -> LiabilityGroup:
    cost = _cost_of(group, known, setup)
    return LiabilityGroup(
        program=_slug(group, setup),
        accounting_class=group.accounting_class,
        expiry_month=None if group.month is None else f"{group.month:%Y-%m}",
        available=Decimal(format_minor(group.available, unit.places)),
        pending=Decimal(format_minor(group.pending, unit.places)),
        held=Decimal(format_minor(group.held, unit.places)),
        total=Decimal(format_minor(group.total, unit.places)),
        cost=None if cost is None else _money(cost, cost.of(group.total, unit.places)),
    )


def _cost_of(group: Group, known: Mapping[str, Cost], setup: Setup) -> Cost | None:
    return known.get(_slug(group, setup) or OF_THE_UNIT, known.get(OF_THE_UNIT))


def _slug(group: Group, setup: Setup) -> str | None:
    if group.program_id is None:
        return None
    program = setup.program_by_id(group.program_id)
    return str(group.program_id) if program is None else program.slug


def _money(cost: Cost, exact: Fraction) -> LiabilityCost:
    places = currency_places(cost.currency) or 0
    amount = Decimal(format_minor(cost.money(exact), places))
    return LiabilityCost(currency=cost.currency, amount=amount)
