"""Units: what a tenant's programs count in."""

import strawberry

from loyalty.units import UnitKind
from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.changes import changing
from loyalty_graphql.admin.roles import EVERYONE
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.enums import exposed
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.outcomes import attempted
from loyalty_tenants import units
from loyalty_tenants.principal import Role
from loyalty_tenants.units import NamedUnit

exposed(
    UnitKind,
    description="What a unit is.",
    values={
        UnitKind.POINTS: "Points of the tenant's own making.",
        UnitKind.MONEY: "Money in the currency that the unit is named by.",
    },
)


@strawberry.type
@reached
class Unit:
    """What is counted: points, stamps, money. Its code and places never change."""

    code: str
    """What amounts name it by; unique in the tenant."""
    name: str
    """What people call it."""
    places: int
    """Decimal places of its amounts."""
    kind: UnitKind
    """What it is."""


@strawberry.input
class CreateUnitInput:
    """A new unit."""

    code: str
    """1 to 32 letters, digits and _; the ISO 4217 code where its kind is MONEY."""
    name: str
    """What people call it."""
    places: int | None = None
    """Decimal places, 0 to 9; null: those of the currency, or none."""
    kind: UnitKind = UnitKind.POINTS
    """What it is."""


@strawberry.type
@reached
class CreateUnitPayload:
    """A new unit."""

    unit: Unit | None
    """The unit; null where nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class UnitQuery:
    @strawberry.field
    @allow(*EVERYONE, scope="programs:read")
    async def units(self, info: RequestInfo) -> list[Unit]:
        """The tenant's units by code."""
        context = info.context
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            return [_shown(one) for one in await units.units(connection)]


@strawberry.type
class UnitMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:write")
    async def create_unit(self, info: RequestInfo, input: CreateUnitInput) -> CreateUnitPayload:
        """Create a unit for the tenant's programs.

        :param input: the unit
        """
        made, refused = await attempted(_created(info.context, input))
        return CreateUnitPayload(
            unit=None if made is None else _shown(made), user_errors=user_errors(refused)
        )


async def _created(context: Context, given: CreateUnitInput) -> NamedUnit:
    async with changing(context) as connection:
        return await units.create_unit(
            connection,
            context.actor,
            code=given.code,
            name=given.name,
            places=given.places,
            kind=given.kind,
            now=context.api.clock.now(),
        )


def _shown(named: NamedUnit) -> Unit:
    return Unit(
        code=named.unit.code,
        name=named.name,
        places=named.unit.places,
        kind=named.unit.kind,
    )
