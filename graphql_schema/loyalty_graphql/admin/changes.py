"""What every change of a tenant's setup does around its one call of the domain."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

from loyalty.errors import Refused
from loyalty.plugin import Connection
from loyalty_graphql.context import Context


async def changed(context: Context, tenant_id: UUID) -> None:
    """After the commit: this process believes nothing it remembers of the tenant, others hear."""
    context.api.forget(tenant_id)
    await context.api.hints.publish_config(tenant_id)


@asynccontextmanager
async def changing(context: Context, tenant_id: UUID | None = None) -> AsyncIterator[Connection]:
    """A transaction that changes the caller's tenant, or the one that an operator named.

    :raises Refused: FORBIDDEN for an operator whose token names no tenant
    """
    tenant_id = context.tenant_id if tenant_id is None else tenant_id
    async with context.api.database.tenant(tenant_id) as connection:
        yield connection
    await changed(context, tenant_id)


def renamed(refused: Iterable[Refused], fields: Mapping[str, str]) -> list[Refused]:
    """The refusals by the names that the input has, where the domain has others."""
    return [
        Refused(
            one.code,
            one.message,
            field=one.field and fields.get(one.field, one.field),
            details=one.details,
        )
        for one in refused
    ]
