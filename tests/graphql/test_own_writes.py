"""What an operation shows after it wrote is never older than what it wrote."""

from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.graphql.documents import ADJUST, BALANCE_OF, RECORD

HAS = "externalId identifiers balances { available }"
RECORD_SHOWN = """mutation($input: RecordPurchaseInput!) { recordPurchase(input: $input) {
  purchase { member { balances { available } } } } }"""


async def test_each_mutation_of_a_document_shows_the_member_as_it_left_them(brand: Any) -> None:
    await brand.enroll("ada")
    document = f"""mutation($rename: UpdateMemberInput!, $card: UpdateMemberInput!,
        $buy: RecordPurchaseInput!, $close: CloseMemberInput!) {{
      first: updateMember(input: $rename) {{ member {{ {HAS} }} }}
      buy: recordPurchase(input: $buy) {{ purchase {{ member {{ {HAS} }} }} }}
      card: updateMember(input: $card) {{ member {{ {HAS} }} }}
      close: closeMember(input: $close) {{ member {{ status {HAS} }} }} }}"""
    member = {"externalId": "ada"}

    data = await brand.service.run(
        document,
        rename={"member": member, "attributes": {"vip": True}},
        buy=brand.purchase("ada", "12.00"),
        card={"member": member, "addIdentifiers": ["4711"]},
        close={"member": member},
    )

    def shown(identifiers: list[str], available: str) -> dict[str, Any]:
        balances = [{"available": available}]
        return {"externalId": "ada", "identifiers": identifiers, "balances": balances}

    assert data["first"]["member"] == shown([], "0")
    assert data["buy"]["purchase"]["member"] == shown([], "12")
    assert data["card"]["member"] == shown(["4711"], "12")
    assert data["close"]["member"] == {"status": "CLOSED", **shown(["4711"], "0")}


async def test_a_payload_is_not_older_than_its_mutation_where_the_cache_missed_it(
    make_own_server: Callable[..., Any], make_brand: Callable[..., Any], own_valkey: Any
) -> None:
    """A full Valkey answers reads and takes no writes, so it keeps what it had before."""
    server = await make_own_server(redis_url=own_valkey.connection_url)
    brand = await make_brand(on=server)
    await brand.enroll("ada")
    first = await brand.service.run(RECORD_SHOWN, input=brand.purchase("ada", "10.00"))
    assert _available(first) == "10"
    async with Redis.from_url(own_valkey.connection_url, legacy_responses=False) as redis:
        await redis.config_set("maxmemory", "1")

    second = await brand.service.run(RECORD_SHOWN, input=brand.purchase("ada", "5.00"))

    assert _available(second) == "15"
    assert server.services.api.cache.counts.errors > 0


async def test_min_version_is_at_least_what_a_mutation_answered(
    make_own_server: Callable[..., Any], make_brand: Callable[..., Any], brand: Any
) -> None:
    """The other process tells a cache of its own, so this one's is behind."""
    await brand.enroll("ada")
    elsewhere = brand.service.at((await make_own_server(redis_url="")).url)
    by = {"externalId": "ada"}
    assert await _balance(brand.service, by=by) == ("0", "0")

    data = await elsewhere.run(RECORD, input=brand.purchase("ada", "9.00"))
    [moved] = data["recordPurchase"]["purchase"]["versions"]

    assert moved == {"unit": "points", "version": "1"}
    assert await _balance(brand.service, by=by, minVersion="1") == ("9", "1")
    adjusted = await brand.admin.at(elsewhere.url).run(
        ADJUST,
        input={
            "member": by, "unit": "points", "amount": "-4", "reasonCode": "GOODWILL",
            "idempotencyKey": brand.key(),
        },
    )  # fmt: skip
    balance = adjusted["adjustBalance"]["balance"]
    assert balance["available"] == "5"
    assert await _balance(brand.service, by=by, minVersion=balance["version"]) == (
        "5", balance["version"],
    )  # fmt: skip


async def test_a_balance_is_cached_again_after_it_moved(
    make_own_server: Callable[..., Any], make_brand: Callable[..., Any], own_valkey: Any
) -> None:
    server = await make_own_server(redis_url=own_valkey.connection_url)
    brand = await make_brand(on=server)
    await brand.enroll("ada")
    await brand.service.run(RECORD, input=brand.purchase("ada", "10.00"))
    counts = server.services.api.cache.counts

    first = await _balance(brand.service, by={"externalId": "ada"})
    hits = counts.hits
    second = await _balance(brand.service, by={"externalId": "ada"})

    assert first == second == ("10", "1")
    assert counts.hits == hits + 1


@pytest.mark.parametrize("version", ["-1", "1.0", "x", "9007199254740992", "٣", ""])
async def test_a_version_that_is_none_is_refused(brand: Any, version: str) -> None:
    await brand.enroll("ada")

    refused = await brand.service.refused(
        BALANCE_OF, by={"externalId": "ada"}, unit="points", minVersion=version
    )

    assert refused == [("BAD_USER_INPUT", ["member", "balance"])]


async def _balance(client: Any, **variables: Any) -> tuple[str, str]:
    data = await client.run(BALANCE_OF, unit="points", **variables)
    balance = data["member"]["balance"]
    return balance["available"], balance["version"]


def _available(data: Any) -> str:
    return str(data["recordPurchase"]["purchase"]["member"]["balances"][0]["available"])
