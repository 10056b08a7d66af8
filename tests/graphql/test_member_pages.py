"""Pages of members: loaded ahead, and the same as what each member answers alone."""

import gc
from collections.abc import Callable
from typing import Any

import pytest

from loyalty.errors import Code
from loyalty_graphql.context import Context
from loyalty_graphql.loaders import Loaders
from tests.graphql.documents import RECORD_MANY

MEMBER = """fragment All on Member {
  externalId balances { unit available version }
  two: statement(unit: $unit, first: 2) { ...Movements pageInfo { hasNextPage endCursor } }
  ... on Node { ... on Member { all: statement(unit: "points", first: 5) { ...Movements } } }
  none: statement(unit: "points", first: 1) @skip(if: true) { ...Movements }
}
fragment Movements on StatementEntryConnection {
  edges { cursor node { version kind amount balanceAfter label rule cause occurredAt late } }
}"""
PAGE = f"query($unit: String!) {{ members(first: 5) {{ edges {{ node {{ ...All }} }} }} }} {MEMBER}"
ONE = f"""query($unit: String!, $name: String!) {{
  member(by: {{externalId: $name}}) {{ ...All }} }} {MEMBER}"""
REFUSED = """{ members(first: 2) { edges { node {
  externalId wrong: statement(unit: "stamps") { edges { cursor } }
  far: statement(unit: "points", after: "nothing") { edges { cursor } } } } } }"""


@pytest.fixture
async def brand(make_brand: Callable[..., Any]) -> Any:
    """Three members; `m-2` has three movements."""
    brand = await make_brand(enroll_on_purchase=True)
    prices = [("m-1", "1.00"), ("m-2", "2.00"), ("m-2", "3.00"), ("m-2", "4.00"), ("m-3", "5.00")]
    await brand.service.run(RECORD_MANY, items=[brand.purchase(*each) for each in prices])
    return brand


async def test_a_page_shows_of_each_member_what_the_member_alone_shows(brand: Any) -> None:
    for _ in range(2):  # by the stock executor, and compiled
        page = await brand.service.run(PAGE, unit="points")
        shown = [edge["node"] for edge in page["members"]["edges"]]
        for each in shown:
            alone = await brand.service.run(ONE, unit="points", name=each["externalId"])
            assert alone["member"] == each

    assert [len(each["two"]["edges"]) for each in shown] == [1, 2, 1]
    assert [len(each["all"]["edges"]) for each in shown] == [1, 3, 1]
    assert [each["two"]["pageInfo"]["hasNextPage"] for each in shown] == [False, True, False]
    assert {edge["node"]["cause"] for each in shown for edge in each["all"]["edges"]} == {
        "PurchaseRecorded"
    }


async def test_a_page_is_one_transaction_with_all_that_its_members_show(brand: Any) -> None:
    for _ in range(2):
        await brand.service.run(PAGE, unit="points")
    database = brand.server.services.api.database

    spent = []
    for _ in range(3):  # now and then a key or the setup is read anew, whatever is asked
        before = database.transactions
        await brand.service.run(PAGE, unit="points")
        spent.append(database.transactions - before)

    assert min(spent) == 1


async def test_what_is_refused_is_refused_in_its_place(brand: Any) -> None:
    for _ in range(2):
        errors = await brand.service.refused(REFUSED)
        assert sorted(errors, key=str) == sorted(
            [
                (code, ["members", "edges", n, "node", name])
                for n in range(2)
                for name, code in (
                    ("wrong", Code.UNIT_NOT_FOUND),
                    ("far", Code.BAD_USER_INPUT),
                )
            ],
            key=str,
        )


async def test_a_page_leaves_nothing_to_the_garbage_collector(brand: Any) -> None:
    for _ in range(2):
        await brand.service.run(PAGE, unit="points")
    gc.collect()
    gc.disable()
    try:
        await brand.service.run(PAGE, unit="points")
        left = [each for each in gc.get_objects() if type(each) in (Context, Loaders)]
    finally:
        gc.enable()

    assert left == []
