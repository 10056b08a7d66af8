"""Roles as the schema shows them. Types with a role import it from here, where it is exposed."""

from loyalty_graphql.enums import exposed
from loyalty_tenants.principal import Role as Role

exposed(
    Role,
    description="What somebody is to the platform.",
    values={
        Role.OPERATOR: "Runs the platform, for all tenants.",
        Role.ADMIN: "Sets up one tenant.",
        Role.SERVICE: "A shop, an app or a till of one tenant.",
        Role.MEMBER: "One member of one tenant, for what is theirs.",
        Role.PARTNER: "Another brand that works with the tenant.",
    },
)
EVERYONE = tuple(Role)
