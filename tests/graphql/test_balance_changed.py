"""The subscription: balances as they move, across processes, to whom they concern."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from loyalty.clock import SetClock
from loyalty_tenants.tenants import suspend_tenant
from tests.graphql.brand import BOSS, NOON
from tests.graphql.documents import BALANCE, RECORD, REDEEM
from tests.graphql.watcher import watching

WATCH = f"""subscription($member: MemberRef!, $unit: String) {{
  balanceChanged(member: $member, unit: $unit) {{ cause causeId balance {{ {BALANCE} }} }} }}"""
ADA = {"externalId": "ada"}


@pytest.fixture
async def own(make_own_server: Callable[..., Any], make_brand: Callable[..., Any]) -> Any:
    """A tenant on a server whose clock may be moved."""
    brand = await make_brand(on=await make_own_server(clock=SetClock(NOON)))
    await brand.enroll("ada")
    return brand


async def test_a_purchase_a_redemption_and_an_expiry_are_heard_with_their_cause(
    own: Any, work: Any
) -> None:
    async with watching(own.service) as watcher:
        await _watch(watcher, own)

        await own.service.run(RECORD, input=own.purchase("ada", "30.00"))
        assert await _heard(watcher) == ("PurchaseRecorded", "30", "0")
        await own.service.run(REDEEM, input=_redeem(own))
        assert await _heard(watcher) == ("Redeem", "20", "10")

        own.clock.advance(timedelta(days=366))
        assert await work(own)
        # The reservation lapsed as well; of moves that come together the newest counts.
        while (heard := await _heard(watcher))[0] == "HoldLapsed":
            pass
        assert heard == ("LotsDue", "0", "0")


async def test_what_another_process_records_is_heard_here(
    make_own_server: Callable[..., Any], brand: Any
) -> None:
    await brand.enroll("ada")
    elsewhere = brand.service.at((await make_own_server()).url)
    async with watching(brand.member("ada")) as watcher:
        await _watch(watcher, brand)

        await elsewhere.run(RECORD, input=brand.purchase("ada", "12.00"))

        assert await _heard(watcher) == ("PurchaseRecorded", "12", "0")


async def test_only_the_member_and_the_unit_that_were_asked_for_are_heard(brand: Any) -> None:
    await brand.make_unit("miles")
    await brand.enroll("ada")
    await brand.enroll("bob")
    async with watching(brand.service) as watcher:
        await _watch(watcher, brand, unit="miles", name="miles")
        await _watch(watcher, brand, name="all")

        await brand.service.run(RECORD, input=brand.purchase("bob", "5.00"))
        await brand.service.run(RECORD, input=brand.purchase("ada", "7.00"))

        message = await watcher.hear()
        assert message["id"] == "all"
        changed = message["payload"]["data"]["balanceChanged"]
        assert changed["balance"]["available"] == "7"
        with pytest.raises(TimeoutError):
            await watcher.hear(0.3)


async def test_what_is_heard_has_the_version_to_read_it_again(brand: Any) -> None:
    await brand.enroll("ada")
    async with watching(brand.member("ada")) as watcher:
        await _watch(watcher, brand)
        data = await brand.service.run(RECORD, input=brand.purchase("ada", "7.00"))
        heard = (await watcher.next())["balanceChanged"]

    [moved] = data["recordPurchase"]["purchase"]["versions"]
    assert heard["balance"]["version"] == moved["version"]
    assert heard["balance"]["expiries"] == [{"at": "2027-01-01T17:00:00Z", "amount": "7"}]


async def test_an_unknown_member_or_unit_is_refused(brand: Any) -> None:
    await brand.enroll("ada")
    async with watching(brand.service) as watcher:
        for variables, code in (
            ({"member": {"externalId": "ghost"}}, "MEMBER_NOT_FOUND"),
            ({"member": {"id": "x"}}, "MEMBER_NOT_FOUND"),
            ({"member": ADA, "unit": "miles"}, "UNIT_NOT_FOUND"),
        ):
            await watcher.ask("1", WATCH, variables)
            heard = await watcher.hear()
            assert heard["type"] == "error"
            assert heard["payload"][0]["extensions"]["code"] == code


async def test_the_socket_ends_with_its_token(own: Any) -> None:
    async with watching(own.member("ada", timedelta(seconds=2))) as watcher:
        await _watch(watcher, own)
        own.clock.advance(timedelta(seconds=3))

        assert await watcher.hear() == 4403


async def test_the_sockets_of_a_suspended_tenant_end(own: Any) -> None:
    api = own.server.services.api
    async with watching(own.member("ada")) as watcher, watching(own.service) as other:
        await _watch(watcher, own)
        await _watch(other, own)
        async with api.database.tenant(own.tenant_id) as connection:
            await suspend_tenant(connection, BOSS, now=own.clock.now())
        api.forget(own.tenant_id)

        assert [await watcher.hear(), await other.hear()] == [4403, 4403]


async def test_a_socket_that_goes_away_leaves_nothing_behind(own: Any) -> None:
    before = len(asyncio.all_tasks())
    for _ in range(5):
        async with watching(own.member("ada")) as watcher:
            await _watch(watcher, own)
    async with asyncio.timeout(5):
        while len(asyncio.all_tasks()) > before + 2:
            await asyncio.sleep(0.05)


async def _watch(watcher: Any, brand: Any, unit: str | None = None, name: str = "1") -> None:
    await watcher.watch(brand, WATCH, {"member": ADA, "unit": unit}, name)


async def _heard(watcher: Any) -> tuple[str, str, str]:
    changed = (await watcher.next())["balanceChanged"]
    assert changed["causeId"]
    return changed["cause"], changed["balance"]["available"], changed["balance"]["held"]


def _redeem(brand: Any) -> dict[str, Any]:
    return {
        "member": ADA, "amount": "10", "unit": "points", "program": "points",
        "idempotencyKey": brand.key(),
    }  # fmt: skip
