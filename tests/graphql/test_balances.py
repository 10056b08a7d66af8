"""Balances: right without the cache, at any instant, and for many members at a constant price."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from loyalty.cache.cached_balance import CachedBalance, OpenLot
from loyalty.clock import SetClock
from loyalty_graphql.ids import read_node_id
from tests.graphql.brand import NOON, POINTS
from tests.graphql.documents import (
    ADJUST,
    BALANCE_OF,
    MEMBER,
    RECORD,
    RECORD_MANY,
    REDEEM,
    STATEMENT,
)

ADA = {"externalId": "ada"}
PAGE = """query($first: Int) { members(first: $first) { edges { node {
  externalId identifiers balances { available pending }
  statement(unit: "points", first: 5) { edges { node { amount } } } } } } }"""


@pytest.fixture
def counted(server: Any, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What the server asks Postgres in transactions of tenants, while the test runs."""
    asked: Counter[str] = Counter()
    database = server.services.api.database
    open_tenant = database.tenant

    @asynccontextmanager
    async def tenant(tenant_id: UUID, *, read_only: bool = False) -> AsyncIterator[Any]:
        async with open_tenant(tenant_id, read_only=read_only) as connection:
            asked["transactions"] += 1

            def note(record: Any) -> None:
                asked["statements"] += 1

            connection.add_query_logger(note)
            try:
                yield connection
            finally:
                connection.remove_query_logger(note)

    monkeypatch.setattr(database, "tenant", tenant)
    return asked


async def test_a_page_of_50_members_asks_no_more_than_a_page_of_2(
    make_brand: Callable[..., Any], counted: Counter[str]
) -> None:
    brand = await make_brand(enroll_on_purchase=True)
    items = [brand.purchase(f"m-{n:02}", f"{n}.00") for n in range(1, 51)]
    await brand.service.run(RECORD_MANY, items=items)
    prices: list[dict[str, int]] = []

    for first in (2, 50):
        tries = []
        for _ in range(3):  # now and then a key is looked up anew, whatever is asked
            brand.server.services.api.setups.forget(brand.tenant_id)
            counted.clear()
            data = await brand.service.run(PAGE, first=first)
            tries.append(dict(counted))
        prices.append(min(tries, key=lambda one: (one["transactions"], one["statements"])))
        shown = [edge["node"]["balances"][0]["available"] for edge in data["members"]["edges"]]
        assert shown == [str(n) for n in range(1, first + 1)]
        moved = [edge["node"]["statement"]["edges"] for edge in data["members"]["edges"]]
        assert moved == [[{"node": {"amount": str(n)}}] for n in range(1, first + 1)]

    # A connection that meets a type for the first time asks what it is.
    assert prices[0]["transactions"] == prices[1]["transactions"], prices
    assert 0 < prices[1]["statements"] <= max(12, prices[0]["statements"]), prices


async def test_without_the_cache_the_answers_are_the_same(
    make_own_server: Callable[..., Any], brand: Any
) -> None:
    """A server whose Redis refuses connections, beside one whose Redis is well."""
    await _story(brand)
    without = brand.service.at((await make_own_server(redis_url="redis://127.0.0.1:1/0")).url)

    for document, variables in (
        (MEMBER, {"by": ADA}),
        (BALANCE_OF, {"by": ADA, "unit": "points"}),
        (STATEMENT, {"by": ADA, "unit": "points"}),
    ):
        assert await without.run(document, **variables) == await brand.service.run(
            document, **variables
        )
    data = await without.run(RECORD, input=brand.purchase("ada", "1.00"))
    assert data["recordPurchase"]["userErrors"] == []


async def test_the_cache_is_never_asked_before_a_spend(brand: Any) -> None:
    """A cache that lies of riches and of poverty: what is spent is what the ledger has."""
    await _story(brand)
    balance = await _balance(brand)
    member = (await brand.service.run(MEMBER, by=ADA))["member"]["id"]
    found = read_node_id(member)
    assert found is not None
    want, version = (found[1], "points"), int(balance["version"])

    for remaining, ahead in ((1_000_000, 100), (1, 200)):
        lie = CachedBalance(version=version + ahead, lots=(OpenLot(NOON, None, remaining),))
        await brand.server.services.api.cache.put_many(brand.tenant_id, {want: lie})
        assert (await _balance(brand))["available"] == str(remaining)
        too_much = await _redeem(brand, str(int(balance["available"]) + 1))
        assert too_much["userErrors"][0]["code"] == "INSUFFICIENT_BALANCE"
    taken = await _redeem(brand, balance["available"])
    assert taken["userErrors"] == []


async def test_all_that_is_open_is_in_the_deadlines(make_brand: Any, make_own_server: Any) -> None:
    """Lots of 20 days: 12 deadlines are named, the rest is summed; pending parts in both lists."""
    clock = SetClock(NOON)
    server = await make_own_server(clock=clock)
    terms = {"pending_days": 10, "lifetime": {"span": "P12M"}}
    brand = await make_brand({**POINTS, "terms": terms}, on=server)
    await brand.enroll("ada")
    for day in range(20):
        data = await brand.service.run(RECORD, input=brand.purchase("ada", f"{day + 1}.00"))
        assert data["recordPurchase"]["userErrors"] == []
        balance = await _balance(brand)
        _assert_sums(balance)
        assert len(balance["expiries"]) == min(day + 1, 13)
        clock.advance(timedelta(days=1))

    balance = await _balance(brand)
    assert (balance["available"], balance["pending"]) == ("66", "144")
    assert balance["expiries"][0] == {"at": "2027-01-01T17:00:00Z", "amount": "1"}
    assert balance["expiries"][-1] == {"at": None, "amount": str(sum(range(13, 21)))}
    assert [one["at"] for one in balance["expiries"][:-1]] == sorted(
        one["at"] for one in balance["expiries"][:-1]
    )
    assert balance["activations"][0] == {"at": "2026-01-22T17:00:00Z", "amount": "12"}

    for days in (0, 5, 12, 30, 400):
        at = (NOON + timedelta(days=days)).isoformat()
        past = await _balance(brand, asOf=at)
        _assert_sums(past)
        assert past["asOf"] == at.replace("+00:00", "Z")


async def test_as_of_cuts_by_what_happened_and_known_at_by_what_was_recorded(
    make_brand: Any, make_own_server: Any
) -> None:
    clock = SetClock(NOON)
    brand = await make_brand(on=await make_own_server(clock=clock))
    await brand.enroll("ada")
    clock.advance(timedelta(days=10))
    late = {"occurredAt": (NOON + timedelta(days=2)).isoformat()}
    await brand.service.run(RECORD, input=brand.purchase("ada", "7.00"))
    clock.advance(timedelta(days=1))
    await brand.service.run(RECORD, input=brand.purchase("ada", "5.00", **late))
    clock.advance(timedelta(days=1))

    async def at(as_of: int | None, known_at: int | None = None) -> str:
        given = {"asOf": as_of, "knownAt": known_at}
        instants = {
            name: (NOON + timedelta(days=days)).isoformat()
            for name, days in given.items()
            if days is not None
        }
        return str((await _balance(brand, **instants))["available"])

    assert [await at(1), await at(2), await at(9), await at(10)] == ["0", "5", "5", "12"]
    assert [await at(2, 10), await at(10, 10), await at(10, 11)] == ["0", "7", "12"]
    assert await at(None, 10) == "7"
    assert await at(1, 1) == "0"


async def test_a_statement_is_paged_and_each_entry_explains_the_next_balance(brand: Any) -> None:
    await _story(brand)
    entries, after = [], None
    while True:
        data = await brand.service.run(STATEMENT, by=ADA, unit="points", first=2, after=after)
        page = data["member"]["statement"]
        entries += [edge["node"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]

    assert [(entry["kind"], entry["amount"]) for entry in entries] == [
        ("ADJUST", "-3"), ("BURN", "-15"), ("GRANT", "8"), ("GRANT", "20"),
    ]  # fmt: skip
    assert [entry["version"] for entry in entries] == sorted(
        (entry["version"] for entry in entries), key=int, reverse=True
    )
    for newer, older in pairwise(entries):
        assert Decimal(newer["balanceAfter"]) == Decimal(older["balanceAfter"]) + Decimal(
            newer["amount"]
        )
    assert entries[0]["balanceAfter"] == (await _balance(brand))["available"] == "10"
    assert [entry["label"] for entry in entries[2:]] == ["1 point per dollar"] * 2
    foreign = await brand.service.refused(
        STATEMENT, by={"externalId": "bob"}, unit="points", after=after
    )
    assert foreign == [("BAD_USER_INPUT", ["member", "statement"])]


@pytest.mark.parametrize("first", [-1, 101, 2**31 - 1])
async def test_a_page_over_its_limit_is_refused(brand: Any, first: int) -> None:
    await brand.enroll("ada")

    answer = (
        await brand.service.post(STATEMENT, {"by": ADA, "unit": "points", "first": first})
    ).json()

    assert answer["errors"][0]["extensions"]["code"] in ("BAD_USER_INPUT", "LIMIT_EXCEEDED")


async def test_an_unknown_unit_is_named_as_such(brand: Any) -> None:
    await brand.enroll("ada")
    for document in (BALANCE_OF, STATEMENT):
        answer = (await brand.service.post(document, {"by": ADA, "unit": "miles"})).json()
        [error] = answer["errors"]
        [field] = error["path"][1:]
        assert (error["extensions"]["code"], error["path"][0]) == ("UNIT_NOT_FOUND", "member")
        assert answer["data"]["member"][field] is None  # and the rest of the member is there


async def _story(brand: Any) -> None:
    await brand.enroll("ada")
    await brand.enroll("bob")
    await brand.service.run(RECORD, input=brand.purchase("ada", "20.00"))
    await brand.service.run(RECORD, input=brand.purchase("ada", "8.00"))
    await _redeem(brand, "15")
    given = {
        "member": ADA, "unit": "points", "amount": "-3", "reasonCode": "ERROR",
        "idempotencyKey": brand.key(),
    }  # fmt: skip
    assert not (await brand.admin.run(ADJUST, input=given))["adjustBalance"]["userErrors"]


async def _redeem(brand: Any, amount: str) -> Any:
    given = {
        "member": ADA, "amount": amount, "unit": "points", "program": "points", "capture": True,
        "idempotencyKey": brand.key(),
    }  # fmt: skip
    return (await brand.service.run(REDEEM, input=given))["redeemPoints"]


async def _balance(brand: Any, **variables: Any) -> Any:
    data = await brand.service.run(BALANCE_OF, by=ADA, unit="points", **variables)
    return data["member"]["balance"]


def _assert_sums(balance: Any) -> None:
    def summed(name: str) -> Decimal:
        return sum((Decimal(one["amount"]) for one in balance[name]), Decimal(0))

    assert summed("expiries") == Decimal(balance["available"]) + Decimal(balance["pending"])
    assert summed("activations") == Decimal(balance["pending"])
