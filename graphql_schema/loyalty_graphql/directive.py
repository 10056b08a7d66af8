"""`@access`: the rule of a field as clients read it in the SDL."""

from collections.abc import Iterator
from enum import Enum

import strawberry
from strawberry.schema_directive import Location

from loyalty_graphql.access import Rule
from loyalty_graphql.enums import exposed


class Caller(Enum):
    PUBLIC = "PUBLIC"
    OPERATOR = "OPERATOR"
    ADMIN = "ADMIN"
    SERVICE = "SERVICE"
    MEMBER = "MEMBER"
    PARTNER = "PARTNER"


exposed(
    Caller,
    description="Who may call a field.",
    values={
        Caller.PUBLIC: "Everyone, also without credentials.",
        Caller.OPERATOR: "Runs the platform, for all tenants.",
        Caller.ADMIN: "Sets up one tenant.",
        Caller.SERVICE: "A shop, an app or a till of one tenant.",
        Caller.MEMBER: "One member of one tenant, for what is theirs.",
        Caller.PARTNER: "Another brand that works with the tenant.",
    },
)


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="access",
    repeatable=True,
    description="Who may call this field; any of several is enough. "
    "A field without it is open to whoever could reach its object.",
)
class Access:
    roles: list[Caller]
    scope: str | None = strawberry.UNSET


def directives_of(rule: Rule) -> Iterator[Access]:
    if rule.anyone:
        yield Access(roles=[Caller.PUBLIC])
        return
    for clause in rule.clauses:
        # In the order of `Caller`, so that the SDL does not change from run to run.
        names = {role.value for role in clause.roles}
        yield Access(
            roles=[c for c in Caller if c.value in names], scope=clause.scope or strawberry.UNSET
        )
