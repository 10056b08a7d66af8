"""API keys: shown once, stored as a hash, two at a time, revoked at once, nobody else's."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from loyalty.clock import SetClock
from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty_tenants import audit
from loyalty_tenants.key_text import KeyText, draw_key, read_key
from loyalty_tenants.keys import IssuedKey, issue_key, keys, revoke_key
from loyalty_tenants.principal import Actor, Role
from loyalty_tenants.scopes import DEFAULT
from loyalty_tenants.tenants import TenantRecord, resume_tenant, suspend_tenant
from loyalty_tenants.tenants import tenant as read_tenant

Make = Callable[[], Awaitable[TenantRecord]]


@pytest.fixture
def issue(
    database: Database, tenant: TenantRecord, boss: Actor, now: datetime
) -> Callable[..., Awaitable[IssuedKey]]:
    async def make(**given: Any) -> IssuedKey:
        asked: dict[str, Any] = {"role": Role.SERVICE, "client": "pos", "now": now, **given}
        async with database.tenant(tenant.tenant_id) as connection:
            return await issue_key(connection, boss, **asked)

    return make


def parts_of(text: str) -> KeyText:
    key = read_key(text)
    assert key is not None
    return key


async def refused_code(door: Any, text: str) -> Code:
    with pytest.raises(Refused) as refused:
        await door.authenticator.authenticate({"x-api-key": text})
    code = refused.value.code
    assert isinstance(code, Code)
    return code


async def test_however_many_use_a_key_at_once_it_is_looked_up_once(
    issue: Any, door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued, asked = await issue(), []
    unscoped = Database.unscoped

    async def counted(database: Database, query: str, *given: Any) -> Any:
        asked.append(given)
        return await unscoped(database, query, *given)

    monkeypatch.setattr(Database, "unscoped", counted)
    headers = {"x-api-key": issued.text}
    first = asyncio.ensure_future(door.authenticator.authenticate(headers))
    others = [asyncio.ensure_future(door.authenticator.authenticate(headers)) for _ in range(20)]
    await asyncio.sleep(0)
    first.cancel()  # whoever began it goes away: the others are answered all the same

    assert len({principal.key_id for principal in await asyncio.gather(*others)}) == 1
    assert len(asked) == 1


async def test_a_key_says_who_it_is(tenant: TenantRecord, issue: Any, door: Any) -> None:
    issued = await issue(role=Role.SERVICE, client="pos")
    for headers in ({"X-Api-Key": issued.text}, {"authorization": f"bearer {issued.text}"}):
        principal = await door.authenticator.authenticate(headers)
        assert principal.role is Role.SERVICE
        assert (principal.tenant_id, principal.subject) == (tenant.tenant_id, "pos")
        assert (principal.client, principal.key_id) == ("service:pos", issued.record.id)
        assert principal.scopes == DEFAULT[Role.SERVICE]


async def test_only_its_hash_is_stored(
    tenant: TenantRecord, issue: Any, admin: Any, database: Database
) -> None:
    issued = await issue()
    secret = parts_of(issued.text).secret
    stored = await admin.fetch(
        "select a::text, k::text from loyalty.audit_entry a, loyalty.api_key k"
        " where a.tenant_id = $1 and k.tenant_id = $1",
        tenant.tenant_id,
    )
    assert stored
    assert secret not in str(stored)
    async with database.tenant(tenant.tenant_id) as connection:
        assert (await audit.entries(connection, first=1))[0].action == "key.create"
        assert [record.id for record in await keys(connection)] == [issued.record.id]


async def test_a_client_has_two_keys_and_no_third(issue: Any, now: datetime) -> None:
    outcomes = await asyncio.gather(*(issue() for _ in range(6)), return_exceptions=True)
    refusals = [each for each in outcomes if isinstance(each, Refused)]
    assert len(outcomes) - len(refusals) == 2
    assert {each.code for each in refusals} == {Code.LIMIT_EXCEEDED}
    await issue(client="app")


async def test_a_key_is_replaced_without_a_gap(
    database: Database, tenant: TenantRecord, issue: Any, boss: Actor, now: datetime, door: Any
) -> None:
    old, new = await issue(), await issue()
    clients = set()
    for issued in (old, new):
        principal = await door.authenticator.authenticate({"x-api-key": issued.text})
        clients.add(principal.client)
    assert clients == {"service:pos"}
    async with database.tenant(tenant.tenant_id) as connection:
        await revoke_key(connection, boss, old.record.id, now=now)
    await issue()


async def test_a_revoked_key_ends_at_once_here_and_in_a_second_elsewhere(
    database: Database, tenant: TenantRecord, issue: Any, boss: Actor, now: datetime, make_door: Any
) -> None:
    issued = await issue()
    here, elsewhere = make_door(), make_door()
    sockets = [
        (door, await door.authenticator.authenticate({"x-api-key": issued.text}))
        for door in (here, elsewhere)
    ]
    async with database.tenant(tenant.tenant_id) as connection:
        before = await read_tenant(connection)
        revoked = await revoke_key(connection, boss, issued.record.id, now=now)
        again = await revoke_key(connection, boss, issued.record.id, now=now + timedelta(days=1))
        after = await read_tenant(connection)
    assert (revoked.revoked_at, again.revoked_at) == (now, now)
    assert after.epoch == before.epoch + 2
    here.authenticator.forget(tenant.tenant_id)
    assert await refused_code(here, issued.text) is Code.UNAUTHENTICATED
    elsewhere.wait(1.0)
    assert await refused_code(elsewhere, issued.text) is Code.UNAUTHENTICATED
    for door, principal in sockets:
        assert not await door.authenticator.still_valid(principal)


async def test_a_key_ends_when_it_expires(
    issue: Any, now: datetime, clock: SetClock, door: Any
) -> None:
    issued = await issue(expires_at=now + timedelta(hours=1))
    principal = await door.authenticator.authenticate({"x-api-key": issued.text})
    clock.advance(timedelta(minutes=59))
    assert await door.authenticator.still_valid(principal)
    clock.advance(timedelta(minutes=1))
    assert not await door.authenticator.still_valid(principal)
    assert await refused_code(door, issued.text) is Code.UNAUTHENTICATED
    for _ in range(2):
        await issue(now=clock.now())  # an expired key takes no place


async def test_wrong_keys_are_refused_alike(issue: Any, door: Any) -> None:
    issued = await issue()
    right = parts_of(issued.text)
    wrong = [
        KeyText(right.prefix, draw_key().secret).text,
        KeyText(draw_key().prefix, right.secret).text,
        draw_key().text,
        issued.text[:-1],
        issued.text + "0",
        "loy_live_",
        "loy_live_' or 1=1 --",
    ]
    messages = set()
    for text in wrong:
        with pytest.raises(Refused) as refused:
            await door.authenticator.authenticate({"x-api-key": text})
        messages.add((refused.value.code, refused.value.message))
    assert len(messages) == 1
    assert messages.pop()[0] is Code.UNAUTHENTICATED


async def test_a_wrong_key_takes_the_same_statements_as_a_right_one(
    database: Database, issue: Any, make_door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = await issue()
    right = parts_of(issued.text)
    steps: list[str] = []
    opened, asked = database.tenant, database.unscoped

    def tenant(*args: Any, **given: Any) -> Any:
        steps.append("tenant")
        return opened(*args, **given)

    def unscoped(*args: Any, **given: Any) -> Any:
        steps.append("unscoped")
        return asked(*args, **given)

    monkeypatch.setattr(database, "tenant", tenant)
    monkeypatch.setattr(database, "unscoped", unscoped)
    taken = []
    for text in (
        issued.text,
        KeyText(right.prefix, draw_key().secret).text,
        draw_key().text,
    ):
        steps.clear()
        with suppress(Refused):
            await make_door().authenticator.authenticate({"x-api-key": text})
        taken.append(tuple(steps))
    assert taken == [("unscoped", "tenant", "tenant")] * 3


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"role": Role.OPERATOR}, Code.BAD_USER_INPUT, "role"),
        ({"role": Role.MEMBER}, Code.BAD_USER_INPUT, "role"),
        ({"asked": ["purchases:write", "purchase:read"]}, Code.BAD_USER_INPUT, "scopes.1"),
        ({"asked": ["tenants:write"]}, Code.FORBIDDEN, "scopes.0"),
        ({"role": Role.PARTNER, "asked": ["keys:write"]}, Code.FORBIDDEN, "scopes.0"),
        ({"client": ""}, Code.BAD_USER_INPUT, "client"),
        ({"label": "x" * 121}, Code.BAD_USER_INPUT, "label"),
    ],
)
async def test_bad_keys_are_refused_with_their_field(
    issue: Any, given: dict[str, Any], code: Code, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        await issue(**given)
    assert (refused.value.code, refused.value.field) == (code, field)


async def test_the_keys_of_others_are_not_there(
    database: Database, make_tenant: Make, issue: Any, boss: Actor, now: datetime, door: Any
) -> None:
    issued = await issue()
    other = await make_tenant()

    async def revoke_theirs() -> None:
        async with database.tenant(other.tenant_id) as connection:
            await revoke_key(connection, boss, issued.record.id, now=now)

    with pytest.raises(Refused) as refused:
        await revoke_theirs()
    assert refused.value.code is Code.NOT_FOUND
    async with database.tenant(other.tenant_id) as connection:
        assert await keys(connection) == []
    assert await door.authenticator.authenticate({"x-api-key": issued.text}) is not None


async def test_a_suspended_tenant_is_told_so(
    database: Database, tenant: TenantRecord, issue: Any, boss: Actor, now: datetime, door: Any
) -> None:
    issued = await issue()
    principal = await door.authenticator.authenticate({"x-api-key": issued.text})
    async with database.tenant(tenant.tenant_id) as connection:
        await suspend_tenant(connection, boss, now=now)
    door.wait(1.0)
    assert not await door.authenticator.still_valid(principal)
    assert await refused_code(door, issued.text) is Code.TENANT_SUSPENDED
    assert await refused_code(door, draw_key().text) is Code.UNAUTHENTICATED
    async with database.tenant(tenant.tenant_id) as connection:
        await resume_tenant(connection, boss, now=now)
    door.wait(1.0)
    assert await door.authenticator.authenticate({"x-api-key": issued.text}) == principal


async def test_use_is_written_down_at_most_once_a_minute(
    database: Database, tenant: TenantRecord, issue: Any, clock: SetClock, door: Any, now: datetime
) -> None:
    issued = await issue()

    async def used_at() -> datetime | None:
        async with database.tenant(tenant.tenant_id) as connection:
            return (await keys(connection))[0].last_used_at

    written: list[datetime | None] = []
    for seconds in (0, 30, 29, 1):
        clock.advance(timedelta(seconds=seconds))
        for _ in range(3):
            await door.authenticator.authenticate({"x-api-key": issued.text})
        assert await used_at() == (written[-1] if written else None)
        await door.authenticator.last_used.flush(database)
        written.append(await used_at())
    minute = now + timedelta(minutes=1)
    assert written == [now, now, now, minute]
    assert await door.authenticator.last_used.flush(database) == 0
