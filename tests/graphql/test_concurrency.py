"""Many at once over HTTP, through two servers: one effect for one key, and no connection lost."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest

from tests.graphql.documents import BALANCE_OF, MEMBER, RECORD, RECORD_MANY, REDEEM

ADA = {"externalId": "ada"}


@pytest.fixture
async def two(make_own_server: Callable[..., Any], brand: Any) -> list[Any]:
    """The same shop at two servers of one database."""
    await brand.enroll("ada")
    return [brand.service, brand.service.at((await make_own_server()).url)]


async def test_a_purchase_64_times_at_once_is_one_purchase(brand: Any, two: list[Any]) -> None:
    given = brand.purchase("ada", "12.00")

    answers = await asyncio.gather(*(two[n % 2].post(RECORD, {"input": given}) for n in range(64)))

    payloads = [answer.json()["data"]["recordPurchase"] for answer in answers]
    assert sorted(payload.pop("replayed") for payload in payloads) == [False] + [True] * 63
    assert len({orjson.dumps(payload) for payload in payloads}) == 1
    assert payloads[0]["userErrors"] == []
    assert await _available(brand) == "12"


async def test_a_command_64_times_at_once_is_carried_out_once(brand: Any, two: list[Any]) -> None:
    await brand.service.run(RECORD, input=brand.purchase("ada", "100.00"))
    given = _redeem(brand)

    answers = await asyncio.gather(*(two[n % 2].post(REDEEM, {"input": given}) for n in range(64)))

    payloads = [answer.json()["data"]["redeemPoints"] for answer in answers]
    assert sorted(payload.pop("replayed") for payload in payloads) == [False] + [True] * 63
    assert len({orjson.dumps(payload) for payload in payloads}) == 1
    assert await _available(brand) == "90"


async def test_a_balance_is_spent_once_by_however_many(brand: Any, two: list[Any]) -> None:
    await brand.service.run(RECORD, input=brand.purchase("ada", "100.00"))

    answers = await asyncio.gather(
        *(two[n % 2].run(REDEEM, input=_redeem(brand)) for n in range(40))
    )

    codes = [[e["code"] for e in answer["redeemPoints"]["userErrors"]] for answer in answers]
    assert sorted(codes) == [[]] * 10 + [["INSUFFICIENT_BALANCE"]] * 30
    assert await _available(brand) == "0"


async def test_batches_and_singles_of_the_same_purchases_at_once_record_each_once(
    brand: Any, two: list[Any]
) -> None:
    items = [brand.purchase("ada", f"{n}.00") for n in range(1, 21)]
    shuffled = [random.Random(seed).sample(items, 20) for seed in range(4)]

    await asyncio.gather(
        *(two[n % 2].run(RECORD_MANY, items=batch) for n, batch in enumerate(shuffled)),
        *(two[n % 2].run(RECORD, input=item) for n, item in enumerate(items)),
    )

    assert await _available(brand) == str(sum(range(1, 21)))


async def test_clients_that_go_away_take_no_connection_with_them(brand: Any) -> None:
    """60 clients that hang up at a random moment of a read, a purchase or a redemption."""
    await brand.enroll("ada")
    await brand.service.run(RECORD, input=brand.purchase("ada", "500.00"))
    database = brand.server.services.api.database
    chance = random.Random(7)
    requests = [
        chance.choice(
            [
                (MEMBER, {"by": ADA}),
                (RECORD, {"input": brand.purchase("ada", "1.00")}),
                (REDEEM, {"input": _redeem(brand, "1")}),
            ]
        )
        for _ in range(60)
    ]

    async def hang_up(document: str, variables: Any, after: float) -> bool:
        async with httpx.AsyncClient() as http:
            client = type(brand.service)(http, brand.service.url, brand.service.credential)
            try:
                async with asyncio.timeout(after):
                    await client.post(document, variables)
            except TimeoutError:
                return True
            return False

    gone = await asyncio.gather(*(hang_up(*one, chance.random() * 0.25) for one in requests))

    assert sum(gone) >= 10
    async with asyncio.timeout(10):
        while database.idle != database.size:
            await asyncio.sleep(0.02)
    # What was begun is whole: what was spent and bought adds up, and the next one is served.
    entries = await _available(brand)
    data = await brand.service.run(RECORD, input=brand.purchase("ada", "1.00"))
    assert data["recordPurchase"]["userErrors"] == []
    assert await _available(brand) == str(int(entries) + 1)


async def _available(brand: Any) -> str:
    data = await brand.service.run(BALANCE_OF, by=ADA, unit="points")
    return str(data["member"]["balance"]["available"])


def _redeem(brand: Any, amount: str = "10") -> dict[str, Any]:
    return {
        "member": ADA, "amount": amount, "unit": "points", "program": "points",
        "idempotencyKey": brand.key(),
    }  # fmt: skip
