"""Versions: what differs between them, going back, and texts that change nothing (S8)."""

import copy
from datetime import timedelta
from typing import Any

import asyncpg
import orjson

from .documents import asked, done, refusals, trail

CHANGES = """query($slug: String!, $before: Int, $after: Int) { program(slug: $slug) {
  changes(before: $before, after: $after) { path kind before after } } }"""
CHECK = """query($config: Config!) { checkConfig(kind: "points", config: $config) {
  config userErrors { field } } }"""
RECORD = """mutation($input: RecordPurchaseInput!) { recordPurchase(input: $input) {
  purchase { earned { amount label } } replayed userErrors { code field } } }"""
RETURN = """mutation($input: ReversePurchaseInput!) { reversePurchase(input: $input) {
  purchaseReturn { takenBack { amount } } userErrors { code field } } }"""
BALANCE = """query($who: String!) { member(by: {externalId: $who}) {
  balance(unit: "points") { available } } }"""
CONFIG: dict[str, Any] = {
    "unit": "points",
    "rules": [
        {
            "id": "base",
            "label": "1 point per dollar",
            "accounting_class": "MATERIAL_RIGHT",
            "points": "1",
            "per": {"USD": "1.00"},
        }
    ],
}


def varied(**changed: Any) -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    config["rules"][0].update(changed)
    return config


async def published(brand: Any, config: Any, **given: Any) -> Any:
    """The program with this config as its draft and its newest version."""
    data = await brand.admin.run("{ programs { id version } }")
    of = data["programs"][0]
    of = {"id": of["id"], "expectedVersion": of["version"]}
    updated = (await done(brand.admin, "updateProgram", **of, config=config))["program"]
    of["expectedVersion"] = updated["version"]
    return (await done(brand.admin, "publishProgram", **of, **given))["program"]


async def changes(brand: Any, before: int | None = None, after: int | None = None) -> Any:
    given = {"before": before, "after": after}
    return (await brand.admin.run(CHANGES, slug="points", **given))["program"]["changes"]


async def earned(brand: Any, total: str = "9.00", **given: Any) -> list[str]:
    data = await brand.service.run(RECORD, input=brand.purchase("ada", total, **given))
    assert data["recordPurchase"]["userErrors"] == []
    return [one["amount"] for one in data["recordPurchase"]["purchase"]["earned"]]


async def test_two_versions_are_compared_key_by_key(make_brand: Any) -> None:
    brand = await make_brand(config=CONFIG)
    assert await changes(brand) == [], "the draft is what was published"
    # A default that is written out is no change.
    await published(brand, {**varied(points="2"), "terms": {"pending_days": 0}})
    more = {**varied(), "terms": {"pending_days": 14}}
    more["rules"].append({**more["rules"][0], "id": "more"})
    await published(brand, more)

    assert await changes(brand, 1, 2) == [
        {"path": "config.rules[base].points", "kind": "CHANGED", "before": "1", "after": "2"}
    ]
    found = await changes(brand, 2, 3)
    assert [(one["path"], one["kind"]) for one in found] == [
        ("config.rules[base].points", "CHANGED"),
        ("config.rules[more]", "ADDED"),
        ("config.terms.pending_days", "CHANGED"),
    ]
    assert [one["path"] for one in await changes(brand, 1)] == [
        "config.rules[more]",
        "config.terms.pending_days",
    ], "the draft against the first version"
    assert await changes(brand, 1, 9) is None
    assert await changes(brand, 9) is None


async def test_an_earlier_version_is_in_force_again(make_brand: Any) -> None:
    brand = await make_brand(config=CONFIG)
    await brand.enroll("ada")
    program = await published(brand, varied(points="3"))
    assert await earned(brand) == ["27"]
    of = {"id": program["id"], "expectedVersion": program["version"]}

    assert await refusals(brand.admin, "rollBackProgram", **of, number=7) == [
        ("NOT_FOUND", "number")
    ]
    stale = {**of, "expectedVersion": of["expectedVersion"] - 1}
    assert await refusals(brand.admin, "rollBackProgram", **stale, number=1) == [
        ("VERSION_CONFLICT", "expectedVersion")
    ]
    early = (brand.clock.now() - timedelta(days=1)).isoformat()
    assert await refusals(brand.admin, "rollBackProgram", **of, number=1, effectiveFrom=early) == [
        ("TOO_LATE", "effectiveFrom")
    ]
    back = await done(brand.admin, "rollBackProgram", **of, number=1)

    assert back["version"]["number"] == 3
    assert back["version"]["config"] == back["program"]["versions"][-1]["config"]
    assert [one["number"] for one in back["program"]["versions"]] == [3, 2, 1]
    assert back["program"]["config"]["rules"][0]["points"] == "3", "the draft is left alone"
    assert await earned(brand) == ["9"]
    assert (await trail(brand.admin, 1)) == [("program.roll_back", "program:points")]


async def test_a_roll_back_may_begin_later(make_brand: Any) -> None:
    brand = await make_brand(config=CONFIG)
    await brand.enroll("ada")
    program = await published(brand, varied(points="3"))
    later = brand.clock.now() + timedelta(minutes=3)

    await done(
        brand.admin, "rollBackProgram", id=program["id"], number=1,
        expectedVersion=program["version"], effectiveFrom=later.isoformat(),
    )  # fmt: skip

    assert await earned(brand) == ["27"]
    assert await earned(brand, occurredAt=later.isoformat()) == ["9"]


async def stored_before(brand: Any, dsn: Any, path: str, value: Any) -> Any:
    """The program, its version and draft as an earlier release took them."""
    connection = await asyncpg.connect(dsn.admin)
    try:
        for table, column in (("program_version", "config"), ("program", "draft")):
            await connection.execute(
                f"update loyalty.{table} set {column} = jsonb_set({column}, '{path}', $2)"
                " where tenant_id = $1",
                brand.tenant_id,
                orjson.dumps(value).decode(),
            )
    finally:
        await connection.close()
    return (await brand.admin.run("{ programs { id version config } }"))["programs"][0]


async def back_and_in_no_draft(brand: Any, program: Any, path: str) -> Any:
    """The stored config, which may come back; a draft with what is at the path is refused."""
    config, told = program["config"], [("BAD_CONFIG", path)]
    of = {"id": program["id"], "expectedVersion": program["version"]}
    assert await refusals(brand.admin, "publishProgram", **of) == told
    assert await refusals(brand.admin, "updateProgram", **of, config=config) == told
    new = {"slug": "extra", "kind": "points", "name": "Extra", "config": config}
    assert await refusals(brand.admin, "createProgram", **new) == told
    check = await brand.admin.run(CHECK, config=config)
    assert [one["field"] for one in check["checkConfig"]["userErrors"]] == [path]
    return (await done(brand.admin, "rollBackProgram", **of, number=1))["version"]["config"]


async def test_a_key_that_does_nothing_stays_in_what_is_stored_and_in_no_new_draft(
    make_brand: Any, dsn: Any
) -> None:
    brand = await make_brand(config=CONFIG)
    await brand.enroll("ada")
    program = await stored_before(brand, dsn, "{budget_alarms}", [80])
    back = await back_and_in_no_draft(brand, program, "config.budget_alarms")
    assert back["budget_alarms"] == [80]
    assert await earned(brand) == ["9"], "by the version that has one"


async def test_a_mistyped_key_stays_in_what_is_stored_and_in_no_new_draft(
    make_brand: Any, dsn: Any
) -> None:
    """Its rule gives nothing, as before, and all others what they gave."""
    when = "purchase.lines.exists(l, l.amount > 5)"
    config = varied()
    config["rules"].append({**config["rules"][0], "id": "more", "when": when})
    brand = await make_brand(config=config)
    await brand.enroll("ada")
    mistyped = when.replace("amount", "ammount")
    program = await stored_before(brand, dsn, "{rules,1,when}", mistyped)
    back = await back_and_in_no_draft(brand, program, "config.rules.1.when")
    assert back["rules"][1]["when"] == mistyped
    lines = [{"id": "1", "amount": "9.00"}]
    assert await earned(brand, lines=lines) == ["9"]
    await published(brand, config)
    assert await earned(brand, lines=lines) == ["9", "9"]


async def test_what_a_cap_still_owes_of_one_unit_is_given_as_no_other(make_brand: Any) -> None:
    """Nor is it lost: the rule goes on as it is, and another one gives what is new."""
    cap = {"points": "5", "period": "month", "carry_over": True}
    config = varied(caps=[cap])
    brand = await make_brand(config=config)
    await done(brand.admin, "createUnit", code="miles", name="Miles")
    program = await published(brand, config)
    of = {"id": program["id"]}
    base = config["rules"][0]
    ended = {**base, "effective": {"ends": "2020-12-31"}}
    for rules, path in (
        ([{**base, "unit": "miles"}], "config.rules.0.unit"),
        ([{**ended, "id": "other", "caps": []}, {**base, "unit": "miles"}], "config.rules.1.unit"),
    ):
        draft = await done(brand.admin, "updateProgram", **of, config={**config, "rules": rules},
                           expectedVersion=program["version"])  # fmt: skip
        of["expectedVersion"] = (program := draft["program"])["version"]
        assert await refusals(brand.admin, "publishProgram", **of) == [("BAD_CONFIG", path)]
        del of["expectedVersion"]
    await published(brand, {**config, "unit": "miles", "rules": [{**base, "unit": "points"}]})
    fresh = {**base, "id": "miles", "unit": "miles"}
    await published(brand, {**config, "rules": [ended, fresh]})
    await published(brand, {**config, "rules": [{**base, "caps": []}]})
    await published(brand, {**config, "rules": [{**base, "unit": "miles"}]})


async def test_another_text_changes_nothing_of_what_is_earned_kept_or_taken_back(
    make_brand: Any,
) -> None:
    """The same story twice: in one tenant the rule's label is edited in the middle of it."""
    told = []
    for edited in (False, True):
        brand = await make_brand(config=CONFIG)
        await brand.enroll("ada")
        first = brand.purchase("ada", "12.40", source="till", externalId="a")
        before = (await brand.service.run(RECORD, input=first))["recordPurchase"]
        if edited:
            await published(brand, varied(label="Our thanks"))
            assert [one["path"] for one in await changes(brand, 1, 2)] == [
                "config.rules[base].label"
            ]
        again = (await brand.service.run(RECORD, input=first))["recordPurchase"]
        assert again == {**before, "replayed": True}, "a replay is told in its own words"
        story = [await earned(brand, "7.99"), await earned(brand, "0.99")]
        returned = await brand.service.run(
            RETURN,
            input={
                "source": "till", "returnId": "r", "purchaseExternalId": "a",
                "occurredAt": brand.now(),
            },
        )  # fmt: skip
        taken = returned["reversePurchase"]["purchaseReturn"]["takenBack"]
        balance = await brand.admin.run(BALANCE, who="ada")
        told.append((story, [one["amount"] for one in taken], balance))

    assert told[0] == told[1]
    assert told[0][0] == [["7"], []]
    assert told[0][1] == ["12"]
    assert told[0][2]["member"]["balance"]["available"] == "7"


async def test_a_template_becomes_a_draft_with_its_units(make_brand: Any) -> None:
    brand = await make_brand(config=None)
    shown = await brand.admin.run("{ programTemplates { slug kind title config source } }")
    square = next(one for one in shown["programTemplates"] if one["slug"] == "square")
    assert (square["kind"], square["title"]) == ("points", "Square Loyalty")
    assert "# net: after discounts" in square["source"]

    checked = await brand.admin.run(
        """query($kind: String!, $config: Config!) { checkConfig(kind: $kind, config: $config) {
             config userErrors { code field } } }""",
        kind="points", config=square["config"],
    )  # fmt: skip
    assert checked["checkConfig"]["userErrors"] == []
    assert checked["checkConfig"]["config"]["terms"]["pending_days"] == 0, "defaults filled in"

    draft = (await done(brand.admin, "startProgram", template="square", name="Ours"))["program"]

    assert (draft["slug"], draft["name"], draft["status"]) == ("square", "Ours", "DRAFT")
    assert draft["config"] == square["config"]
    of = {"id": draft["id"], "expectedVersion": draft["version"]}
    await done(brand.admin, "publishProgram", **of)
    # Only now: where something was recorded before, counters of its limits are filled first.
    await brand.enroll("ada")
    assert await earned(brand, "105.00") == ["10"]


async def test_a_template_says_what_is_missing(make_brand: Any, operator: Any) -> None:
    made = (
        await asked(
            operator(), "createTenant", slug=f"new-{id(make_brand)}", name="New", zone="UTC"
        )
    )["tenant"]
    admin = operator(made["slug"])

    payload = await asked(admin, "startProgram", template="square")
    error = payload["userErrors"][0]
    assert (error["code"], error["field"]) == ("UNIT_NOT_FOUND", "createUnits")
    assert error["details"] == {"missing": ["points"]}
    wrong = (await asked(admin, "startProgram", template="squar"))["userErrors"][0]
    assert (wrong["field"], wrong["message"]) == (
        "template", "unknown template 'squar': did you mean 'square'?",
    )  # fmt: skip

    await done(admin, "startProgram", template="square", createUnits=True)
    units = (await admin.run("{ units { code name places } }"))["units"]
    assert units == [{"code": "points", "name": "Points", "places": 0}]
