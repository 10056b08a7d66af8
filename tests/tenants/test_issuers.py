"""Which identity providers a tenant may name, and that it stops trusting one it removes."""

from datetime import datetime
from typing import Any

import pytest

from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty_tenants import audit
from loyalty_tenants.issuers import Issuer, issuers, remove_issuer, set_issuer
from loyalty_tenants.principal import Actor
from loyalty_tenants.tenants import TenantRecord

GOOD: dict[str, Any] = {
    "issuer": "https://login.example",
    "jwks_url": "https://login.example/keys",
    "algorithms": ("ES256", "RS256"),
    "audience": "loyalty",
}


async def test_set_change_and_remove(
    database: Database, tenant: TenantRecord, boss: Actor, now: datetime
) -> None:
    first, second = Issuer(**GOOD), Issuer(**{**GOOD, "algorithms": ("EdDSA",)})
    async with database.tenant(tenant.tenant_id) as connection:
        await set_issuer(connection, boss, first, now=now)
        assert await issuers(connection) == [first]
        await set_issuer(connection, boss, second, now=now)
        assert await issuers(connection) == [second]
        await remove_issuer(connection, boss, first.issuer, now=now)
        assert await issuers(connection) == []
        actions = [entry.action for entry in await audit.entries(connection, first=3)]
    assert actions == ["issuer.remove", "issuer.set", "issuer.set"]

    async def again() -> None:
        async with database.tenant(tenant.tenant_id) as connection:
            await remove_issuer(connection, boss, first.issuer, now=now)

    with pytest.raises(Refused) as refused:
        await again()
    assert refused.value.code is Code.NOT_FOUND


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"issuer": "loyalty"}, "issuer"),
        ({"issuer": "brand"}, "issuer"),
        ({"jwks_url": "http://login.example/keys"}, "jwksUrl"),
        ({"jwks_url": "https://user:pw@login.example/keys"}, "jwksUrl"),
        ({"jwks_url": "https://login.example:5432/keys"}, "jwksUrl"),
        ({"jwks_url": "https://login.example/keys#x"}, "jwksUrl"),
        ({"jwks_url": "https:///keys"}, "jwksUrl"),
        ({"jwks_url": "file:///etc/passwd"}, "jwksUrl"),
        ({"jwks_url": "https://login.example/\r\nx: y"}, "jwksUrl"),
        ({"jwks_url": "https://①②⑦.⓪.⓪.①/"}, "jwksUrl"),
        ({"jwks_url": "https://a.example/" + "x" * 500}, "jwksUrl"),
        ({"algorithms": ()}, "algorithms"),
        ({"algorithms": ("HS256",)}, "algorithms"),
        ({"algorithms": ("none", "RS256")}, "algorithms"),
        ({"audience": ""}, "audience"),
    ],
)
async def test_bad_issuers_are_refused_with_their_field(
    database: Database,
    tenant: TenantRecord,
    boss: Actor,
    now: datetime,
    change: dict[str, Any],
    field: str,
) -> None:
    async def attempt() -> None:
        async with database.tenant(tenant.tenant_id) as connection:
            await set_issuer(connection, boss, Issuer(**{**GOOD, **change}), now=now)

    with pytest.raises(Refused) as refused:
        await attempt()
    assert (refused.value.code, refused.value.field) == (Code.BAD_USER_INPUT, field)


async def test_a_tenant_has_a_few_issuers_at_most(
    database: Database, tenant: TenantRecord, boss: Actor, now: datetime
) -> None:
    async def add(number: int) -> None:
        async with database.tenant(tenant.tenant_id) as connection:
            issuer = Issuer(**{**GOOD, "issuer": f"https://{number}.example"})
            await set_issuer(connection, boss, issuer, now=now)

    for number in range(5):
        await add(number)
    await add(0)
    with pytest.raises(Refused) as refused:
        await add(5)
    assert refused.value.code is Code.LIMIT_EXCEEDED
