"""A config looked at before it is saved: for editors, and for programs kept as files."""

import strawberry

from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.scalars import Config
from loyalty_tenants.principal import Role
from loyalty_tenants.unit_keys import check_units


@strawberry.type
@reached
class ConfigCheck:
    """What saving a config would say."""

    config: Config | None
    """The config, every key with its default filled in; null where it cannot be saved."""
    user_errors: list[UserError]
    """Why it cannot be saved: the key at fault, and in `details.errors` all of them."""


@strawberry.type
class ConfigCheckQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="programs:read")
    async def check_config(self, info: RequestInfo, kind: str, config: Config) -> ConfigCheck:
        """Whether a config could be saved. Nothing is.

        :param kind: one of `programKinds`
        :param config: the config
        """
        filled, refused = await attempted(_checked(info.context, kind, config))
        return ConfigCheck(config=filled, user_errors=user_errors(refused))


async def _checked(context: Context, kind: str, config: Config) -> Config:
    """:raises Refused: as saving it would"""
    configs = context.api.configs
    checked = configs.check_draft(kind, config)
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        await check_units(connection, checked)
    return Config(configs.published(kind, checked))
