"""Why, and why not: what every rule says of a purchase, and where a statement's lines come from."""

from typing import Any

from tests.graphql.brand import POINTS
from tests.graphql.documents import ACTIVITY, ACTIVITY_OF, NODE, RECORD, RETURN, WHY_NOT

BASE = POINTS["rules"][0]  # type: ignore[index]
RULES = {
    "unit": "points",
    "rules": [
        BASE,
        {**BASE, "id": "big", "minimum_purchase": {"USD": "50.00"}},
        {**BASE, "id": "yen", "per": {"JPY": "100"}},
        {**BASE, "id": "cards", "kinds": ["GIFT_CARD"]},
        {**BASE, "id": "steps", "per": {"USD": "100.00"}, "whole_steps": True},
        {**BASE, "id": "own", "exclude": {"brands": ["acme"]}, "kinds": ["PRODUCT"]},
    ],
}
LINES = [
    {"id": "a", "amount": "29.00", "brand": "acme"},
    {"id": "b", "amount": "5.00", "kind": "SHIPPING"},
]
STATEMENT = """query { member(by: {externalId: "ada"}) { statement(unit: "points") { edges { node {
  kind amount purchase { externalId } purchaseReturn { returnId } activity { externalId }
  decisions { rule granted } } } } } }"""


async def bought(brand: Any, total: str, **more: Any) -> Any:
    data = await brand.service.run(RECORD, input=brand.purchase("ada", total, **more))
    assert data["recordPurchase"]["userErrors"] == []
    return data["recordPurchase"]["purchase"]


async def why(brand: Any, purchase: Any) -> list[Any]:
    given = {name: purchase[name] for name in ("source", "externalId")}
    found: list[Any] = (await brand.admin.run(WHY_NOT, **given))["purchase"]["decisions"]
    return found


async def test_each_rule_says_whether_it_fired_and_why_not(make_brand: Any) -> None:
    brand = await make_brand(config=RULES)
    await brand.enroll("ada")
    purchase = await bought(brand, "34.00", lines=LINES)

    told = {one["rule"]: one for one in await why(brand, purchase)}

    assert [(rule, one["fired"], one["reason"]) for rule, one in told.items()] == [
        ("base", True, None),
        ("big", False, "MINIMUM_PURCHASE"),
        ("yen", False, "CURRENCY_NOT_RATED"),
        ("cards", False, "NOTHING_COUNTS"),
        ("steps", False, "TOO_LITTLE"),
        ("own", False, "NOTHING_COUNTS"),
    ]
    assert {one["program"] for one in told.values()} == {"points"}
    assert told["base"]["granted"] == "29"
    assert told["big"]["explanation"] == (
        "the lines that count come to 29.00 USD, its minimum is 50.00"
    )
    assert told["big"]["values"] == {"amount": "29.00", "minimum": "50.00", "currency": "USD"}
    assert told["yen"]["explanation"] == "it has no rate for USD, only for JPY"
    assert (told["yen"]["part"], told["steps"]["part"]) == ("per", "points")
    assert told["steps"]["explanation"] == (
        "the 29.00 USD that count do not fill a step of 100.00: it rounds to nothing"
    )
    assert told["own"]["explanation"] == (
        "no line of the purchase counts: line a is excluded; line b is of kind SHIPPING"
    )
    assert told["own"]["part"] == "exclude"


async def test_a_statement_leads_to_what_is_behind_each_line(make_brand: Any) -> None:
    brand = await make_brand(config=POINTS)
    await brand.enroll("ada")
    purchase = await bought(brand, "12.00", externalId="o-1")
    given = {
        "source": "shop", "returnId": "r-1", "purchaseExternalId": "o-1",
        "occurredAt": brand.now(), "lines": [{"id": "1", "amount": "5.00"}],
    }  # fmt: skip
    await brand.service.run(RETURN, input=given)
    await brand.admin.run(
        """mutation($input: AdjustBalanceInput!) { adjustBalance(input: $input) {
             userErrors { code } } }""",
        input={"member": {"externalId": "ada"}, "unit": "points", "amount": "3",
               "reasonCode": "GOODWILL", "idempotencyKey": brand.key()},
    )  # fmt: skip

    data = await brand.admin.run(STATEMENT)

    lines = [edge["node"] for edge in data["member"]["statement"]["edges"]]
    assert purchase["externalId"] == "o-1"
    assert [
        (one["kind"], one["amount"], one["purchase"], one["purchaseReturn"], one["decisions"])
        for one in lines
    ] == [
        ("ADJUST", "3", None, None, []),
        ("TAKE_BACK", "-5", {"externalId": "o-1"}, {"returnId": "r-1"}, []),
        ("GRANT", "12", {"externalId": "o-1"}, None, [{"rule": "base", "granted": "12"}]),
    ]
    # A member sees where a line comes from, but not the decisions.
    own = await brand.member("ada").post(STATEMENT)
    assert {e["extensions"]["code"] for e in own.json()["errors"]} == {"FORBIDDEN"}
    seen = await brand.member("ada").run(STATEMENT.replace("decisions { rule granted }", ""))
    assert seen["member"]["statement"]["edges"][2]["node"]["purchase"] == {"externalId": "o-1"}


async def test_an_activity_is_found_by_its_own_name(make_brand: Any) -> None:
    brand, other = await make_brand(), await make_brand()
    await brand.enroll("ada")
    await brand.enroll("bob")
    given = {
        "member": {"externalId": "ada"}, "source": "app", "externalId": "a-1", "type": "check_in",
        "occurredAt": brand.now(), "attributes": {"shop": "5th"},
    }  # fmt: skip
    await brand.service.run(ACTIVITY, input=given)
    name = {"source": "app", "externalId": "a-1"}

    found = (await brand.service.run(ACTIVITY_OF, **name))["activity"]

    ident = found.pop("id")
    assert found == {
        **name, "type": "check_in", "occurredAt": "2026-01-01T17:00:00Z", "earned": [],
        "attributes": {"shop": "5th"}, "versions": [], "member": {"externalId": "ada"},
    }  # fmt: skip
    node = (await brand.member("ada").run(NODE, id=ident))["node"]
    assert node == {"__typename": "Activity", "id": ident}
    for client in (brand.member("bob"), other.service):
        assert (await client.run(ACTIVITY_OF, **name))["activity"] is None
        assert (await client.run(NODE, id=ident))["node"] is None
    assert (await brand.service.run(ACTIVITY_OF, source="app", externalId="x"))["activity"] is None
