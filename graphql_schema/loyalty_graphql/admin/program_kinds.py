"""Kinds of programs: the plugins that are installed."""

import strawberry

from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.scalars import Json
from loyalty_tenants.principal import Role


@strawberry.type
@reached
class ProgramKind:
    """A kind of program that a tenant may run."""

    name: str
    """What `createProgram` takes as its kind."""
    description: str
    """What it is for."""

    @strawberry.field
    def config_schema(self, info: RequestInfo) -> Json:
        """The JSON Schema of its config. Keys marked `writeOnly` are secrets, never read back."""
        return Json(info.context.api.configs.schema(self.name))


@strawberry.type
class ProgramKindQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="programs:read")
    def program_kinds(self, info: RequestInfo) -> list[ProgramKind]:
        """The kinds of programs that are installed, by name."""
        kinds = info.context.api.configs.kinds()
        return [
            ProgramKind(name=name, description=kinds[name].description) for name in sorted(kinds)
        ]
