"""A new tenant with the key that its first admin begins with, both or neither."""

from dataclasses import dataclass
from datetime import datetime

from loyalty.database import Database
from loyalty_tenants.keys import IssuedKey, issue_key
from loyalty_tenants.principal import Actor, Role
from loyalty_tenants.tenants import TenantRecord, TenantSettings, add_tenant, new_tenant

FIRST_CLIENT = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboarded:
    """The tenant, and its first key, whose text is shown this once."""

    tenant: TenantRecord
    key: IssuedKey


async def onboard(
    database: Database, by: Actor, *, slug: str, settings: TenantSettings, now: datetime
) -> Onboarded:
    """Create a tenant and an ADMIN key for it in one transaction.

    :raises Refused: ALREADY_EXISTS (slug), BAD_USER_INPUT, CURRENCY_NOT_LISTED
    """
    new = new_tenant(slug=slug, settings=settings)
    async with database.tenant(new.tenant_id) as connection:
        record = await add_tenant(connection, by, new, now=now)
        key = await issue_key(
            connection, by, role=Role.ADMIN, client=FIRST_CLIENT, label="The first key", now=now
        )
    return Onboarded(tenant=record, key=key)
