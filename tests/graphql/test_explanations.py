"""Why, and why not: what every rule says of a purchase, and where a statement's lines come from."""

from typing import Any

from tests.graphql.brand import POINTS
from tests.graphql.documents import ACTIVITY, ACTIVITY_OF, NODE, RECORD, RETURN, UPDATE, WHY_NOT

BASE = POINTS["rules"][0]  # type: ignore[index]
RULES = {
    "unit": "points",
    "currency": "USD",
    "groups": [{"id": "either", "grants": "best"}],
    "rules": [
        BASE,
        {**BASE, "id": "big", "minimum_purchase": {"USD": "50.00"}},
        {**BASE, "id": "visit", "count": "visit", "per": None,
         "minimum_purchase": {"USD": "29.01"}},
        {**BASE, "id": "yen", "per": {"JPY": "100"}},
        {**BASE, "id": "cards", "kinds": ["GIFT_CARD"]},
        {**BASE, "id": "steps", "per": {"USD": "100.00"}, "whole_steps": True},
        {**BASE, "id": "own", "exclude": {"brands": ["acme"]}},
        {**BASE, "id": "rich", "when": 'true && purchase.total >= amount("90.00")'},
        {**BASE, "id": "later", "effective": {"starts": "2027-01-01"}},
        {**BASE, "id": "one", "group": "either"},
        {**BASE, "id": "two", "group": "either", "points": "2"},
        {**BASE, "id": "once", "limits": [{"times": 1, "period": "day"}]},
        {"id": "double", "label": "x2", "accounting_class": "MARKETING",
         "bonus": {"factor": "2", "rules": ["yen"]}},
    ],
}  # fmt: skip
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
    brand = await make_brand(config=RULES, currencies=("USD", "JPY"))
    await brand.enroll("ada")
    await bought(brand, "2.00")
    purchase = await bought(brand, "34.00", lines=LINES)

    found = await why(brand, purchase)

    fired = [(one["rule"], one["granted"]) for one in found if one["fired"]]
    assert fired == [("base", "29"), ("two", "58")]
    assert {one["program"] for one in found} == {"points"}
    told = {one["rule"]: one for one in found if not one["fired"]}
    assert {rule: (one["reason"], one["part"]) for rule, one in told.items()} == {
        "big": ("MINIMUM_PURCHASE", "minimum_purchase"),
        "visit": ("MINIMUM_PURCHASE", "minimum_purchase"),
        "yen": ("CURRENCY_NOT_RATED", "per"),
        "cards": ("NOTHING_COUNTED", "kinds"),
        "steps": ("NOTHING_EARNED", "whole_steps"),
        "own": ("NOTHING_COUNTED", "exclude"),
        "rich": ("CONDITION", 'purchase.total >= amount("90.00")'),
        "later": ("NOT_IN_EFFECT", "effective"),
        "one": ("OUTBID", "group"),
        "once": ("LIMIT_REACHED", "limits"),
        "double": ("NOTHING_COUNTED", "bonus"),
    }
    assert {rule: one["explanation"] for rule, one in told.items()} == {
        "big": "the lines that count come to 29.00 USD, its minimum is 50.00 USD",
        "visit": "the lines that count come to 29.00 USD, its minimum is 29.01 USD",
        "yen": "it has no rate for USD, only for JPY",
        "cards": "no line counts: line a is of kind PRODUCT; line b is of kind SHIPPING",
        "steps": "29.00 that count make no full step of 100.00",
        "own": "no line counts: line a is excluded; line b is of kind SHIPPING",
        "rich": '`purchase.total >= amount("90.00")` is false because purchase.total is 34.00 USD',
        "later": "2026-01-01 is none of the days on which it is in effect",
        "one": "two of the same group (either) gives instead",
        "once": "it gave 1 time in this day already, which is the limit of the member",
        "double": "nothing was given that it multiplies",
    }
    assert told["rich"]["values"] == {"purchase.total": 3400}
    assert told["once"]["values"]["times"] == 1


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


async def test_what_cut_a_rule_is_told_in_words(make_brand: Any) -> None:
    carried = {"points": "50", "period": "day", "carry_over": True}
    budget = {"points": "1000", "period": "month", "per": "program"}
    bonus = {"id": "double", "label": "x2", "accounting_class": "MARKETING", "group": "extras",
             "bonus": {"factor": "2", "rules": ["base"]}}  # fmt: skip
    brand = await make_brand(
        config={
            "unit": "points", "caps": [budget],
            "groups": [{"id": "extras", "caps": [{"points": "100", "period": "lifetime"}]}],
            "rules": [{**BASE, "caps": [carried]}, bonus],
        }
    )  # fmt: skip
    await brand.enroll("ada")
    await bought(brand, "40.00")
    found = await why(brand, await bought(brand, "70.00"))

    told = {one["rule"]: (one["granted"], one["reason"], one["explanation"]) for one in found}
    assert told == {
        "base": (
            "10", "RULE_CAP",
            "its cap of 50 a day leaves 60 out: 40 were given before; what it cut is given later",
        ),
        "double": (
            "60", "GROUP_CAP",
            "the group extras's cap of 100 in all leaves 10 out: 40 were given before",
        ),
    }  # fmt: skip

    found = await why(brand, await bought(brand, "70.00"))
    assert [one["granted"] for one in found] == ["0", "0"]
    assert [one["reason"] for one in found] == ["RULE_CAP", "GROUP_CAP"]
    assert found[1]["explanation"].startswith("the group extras's cap of 100 in all leaves 70 out")


async def test_attributes_are_read_as_they_were(make_brand: Any) -> None:
    vip = {**BASE, "id": "vip", "when": 'member.attributes.level == "vip"'}
    born = {**BASE, "id": "born", "when": "member.days_to_birthday == 0"}
    brand = await make_brand(config={"unit": "points", "rules": [BASE, vip, born]})
    await brand.enroll("ada")
    await becomes(brand, level="plain", other="nobody asks for it")
    purchase = await bought(brand, "10.00")
    await becomes(brand, level="vip", birthday=brand.now()[5:10])

    told = {one["rule"]: one for one in await why(brand, purchase)}
    assert not told["vip"]["fired"]
    assert told["vip"]["values"] == {"member.attributes.level": "plain"}
    assert not told["born"]["fired"]
    assert await kept(brand) == [{"level": ["plain"], "birthday": None}]


async def becomes(brand: Any, **attributes: str) -> None:
    who = {"member": {"externalId": "ada"}, "attributes": attributes}
    assert (await brand.admin.run(UPDATE, input=who))["updateMember"]["userErrors"] == []


async def kept(brand: Any) -> list[Any]:
    """The attributes that decisions keep."""
    database = brand.server.services.api.database
    async with database.tenant(brand.tenant_id, read_only=True) as connection:
        rows = await connection.fetch(
            "select body -> 'read' -> 'points' -> 'attributes' as kept from loyalty.decision"
        )
    return [row["kept"] for row in rows if row["kept"]]
