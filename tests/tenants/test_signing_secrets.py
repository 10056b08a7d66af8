"""A tenant's signing secret is replaced without a gap, and two at most are ever valid."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from loyalty.clock import SetClock
from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty_tenants import audit
from loyalty_tenants.principal import Actor, Role
from loyalty_tenants.signing import SigningSecret, rotate_secret
from loyalty_tenants.tenants import TenantRecord, suspend_tenant
from loyalty_tenants.tenants import tenant as read_tenant
from loyalty_tenants.tokens import check_secret, issue_token

HOUR = timedelta(hours=1)


@pytest.fixture
def rotate(database: Database, tenant: TenantRecord, boss: Actor, clock: SetClock) -> Any:
    async def make(**given: Any) -> SigningSecret:
        async with database.tenant(tenant.tenant_id) as connection:
            return await rotate_secret(connection, boss, **given, now=clock.now())

    return make


@pytest.fixture
def token(tenant: TenantRecord, clock: SetClock) -> Callable[[SigningSecret], str]:
    def make(secret: SigningSecret, role: Role = Role.MEMBER) -> str:
        return issue_token(
            secret=secret.text,
            kid=str(secret.kid),
            issuer=tenant.slug,
            tenant=tenant.slug,
            role=role,
            subject="ana",
            now=clock.now(),
            lifetime=timedelta(days=20),
        )

    return make


async def lets_in(door: Any, token: str) -> bool:
    try:
        found = await door.authenticator.authenticate({"authorization": f"Bearer {token}"})
    except Refused as refused:
        return refused.code is not Code.UNAUTHENTICATED
    return found is not None


async def test_the_old_secret_lives_on_for_the_overlap(
    rotate: Any, token: Any, door: Any, clock: SetClock
) -> None:
    first = await rotate()
    second = await rotate(overlap=HOUR)
    door.wait(1.0)
    assert [await lets_in(door, token(s)) for s in (first, second)] == [True, True]
    clock.advance(HOUR)
    door.wait(5.0)
    assert [await lets_in(door, token(s)) for s in (first, second)] == [False, True]


async def test_two_at_most_are_valid(rotate: Any, token: Any, door: Any) -> None:
    made = [await rotate() for _ in range(3)]
    assert [await lets_in(door, token(secret)) for secret in made] == [False, True, True]


async def test_a_leaked_secret_is_ended_at_once(rotate: Any, token: Any, door: Any) -> None:
    leaked = await rotate()
    used = token(leaked)
    assert await lets_in(door, used)
    await rotate(overlap=timedelta(0))
    door.wait(1.0)
    assert not await lets_in(door, used)


async def test_rotation_is_written_down_without_the_secret(
    rotate: Any, database: Database, tenant: TenantRecord, boss: Actor, now: datetime
) -> None:
    async with database.tenant(tenant.tenant_id) as connection:
        before = await read_tenant(connection)
    made = await rotate()
    async with database.tenant(tenant.tenant_id) as connection:
        after = await read_tenant(connection)
        entry = (await audit.entries(connection, first=1))[0]
    assert after.epoch == before.epoch + 1
    assert entry.action == "secret.rotate"
    assert made.text not in str(entry)
    assert made.text not in repr(made)
    with pytest.raises(Refused):
        await rotate(overlap=timedelta(days=31))


async def test_a_suspended_tenant_is_told_so_by_its_tokens_too(
    rotate: Any,
    token: Any,
    door: Any,
    database: Database,
    tenant: TenantRecord,
    boss: Actor,
    operator_secret: str,
    now: datetime,
) -> None:
    made = await rotate()
    async with database.tenant(tenant.tenant_id) as connection:
        await suspend_tenant(connection, boss, now=now)
    with pytest.raises(Refused) as refused:
        await door.authenticator.authenticate({"authorization": f"Bearer {token(made)}"})
    assert refused.value.code is Code.TENANT_SUSPENDED
    operator = issue_token(
        secret=operator_secret,
        issuer="loyalty",
        tenant=tenant.slug,
        role=Role.OPERATOR,
        subject="root",
        now=now,
        lifetime=HOUR,
    )
    found = await door.authenticator.authenticate({"authorization": f"Bearer {operator}"})
    assert (found.role, found.tenant_id) == (Role.OPERATOR, tenant.tenant_id)
    assert await door.authenticator.still_valid(found)


async def test_a_token_ends_when_it_expires(
    rotate: Any, token: Any, door: Any, clock: SetClock
) -> None:
    used = token(await rotate())
    principal = await door.authenticator.authenticate({"authorization": f"Bearer {used}"})
    clock.advance(timedelta(days=20) - timedelta(seconds=1))
    assert await door.authenticator.still_valid(principal)
    clock.advance(timedelta(seconds=31))
    assert not await door.authenticator.still_valid(principal)
    assert not await lets_in(door, used)


@pytest.mark.parametrize(
    "secret",
    ["", "short", "x" * 31, "x" * 64, "secret" * 8, "change-me-" * 5, "Password-" * 4, "0123" * 10],
)
def test_weak_secrets_and_placeholders_are_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        check_secret(secret)
