"""Cashback over the API: what a member has, payouts from asking to the end, and by whom."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from loyalty.jobs.worker import Worker
from loyalty.units import UnitKind
from loyalty_app.backtests.walker import Walker
from loyalty_app.ledger import open_ledger
from loyalty_app.logins import Addresses
from loyalty_app.settings import Settings
from loyalty_app.worker import PublishedVersions
from loyalty_graphql.ids import node_id
from tests.graphql.admin.documents import BACKTEST, done
from tests.graphql.documents import CAPTURE, ERRORS, PREVIEW_WHY, RECORD, REDEEM, WHY_NOT

CONFIG: dict[str, Any] = {
    "unit": "USD",
    "currency": "USD",
    "rules": [
        {"id": "spend", "label": "5 % back", "percent": "5"},
        {"id": "fuel", "label": "3 % on fuel", "percent": "3", "promotion": True,
         "include": {"categories": ["fuel"]}}],
    "payout": {"on_request": {"minimum": {"USD": "5.00"}},
               "statement": {"every": "month", "minimum": {"USD": "10.00"}}},
}  # fmt: skip
PAYOUT = """id program way day unit currency amount state destination reason requestedAt changedAt
  member { externalId }"""
REQUEST = f"""mutation($input: RequestPayoutInput!) {{ requestPayout(input: $input) {{
  replayed payout {{ {PAYOUT} }} {ERRORS} }} }}"""
TELL = f"""mutation($input: RecordPayoutInput!) {{ recordPayout(input: $input) {{
  replayed payout {{ {PAYOUT} reference }} {ERRORS} }} }}"""
MINE = f"""query($who: String!) {{ member(by: {{externalId: $who}}) {{
  balance(unit: "USD") {{ available pending }}
  cashback {{ program currency unit available pending owed requested paidOut onRequest
    nextPayout {{ at amount minimum reached }} }}
  payouts {{ edges {{ node {{ {PAYOUT} }} }} }}
  statement(unit: "USD") {{ edges {{ node {{ kind amount label }} }} }} }} }}"""
ONE = f"query($id: ID!) {{ backtest(id: $id) {{ {BACKTEST} }} }}"
PAGE = """query($program: String!, $state: PayoutState, $first: Int, $after: String, $last: Int,
  $before: String) { payouts(program: $program, state: $state, first: $first, after: $after,
    last: $last, before: $before) {
    pageInfo { hasNextPage hasPreviousPage endCursor startCursor }
    edges { node { amount state } } } }"""


@pytest.fixture
async def shop(make_brand: Callable[..., Any]) -> Any:
    brand = await make_brand()
    await brand.make_unit("USD", kind=UnitKind.MONEY)
    await brand.run_program("back", CONFIG, kind="cashback")
    await brand.enroll("ada")
    return brand


async def buys(brand: Any, who: str, amount: str, **more: Any) -> Any:
    given = brand.purchase(who, amount, **more)
    data = await brand.service.run(RECORD, input=given)
    assert data["recordPurchase"]["userErrors"] == []
    return given


def asked(brand: Any, who: str = "ada", **more: Any) -> dict[str, Any]:
    return {
        "member": {"externalId": who}, "program": "back", "idempotencyKey": brand.key(), **more,
    }  # fmt: skip


async def requested(client: Any, given: dict[str, Any]) -> Any:
    return (await client.run(REQUEST, input=given))["requestPayout"]


async def told(client: Any, brand: Any, payout: str, state: str, **more: Any) -> Any:
    given = {"payout": payout, "state": state, "idempotencyKey": brand.key(), **more}
    return (await client.run(TELL, input=given))["recordPayout"]


async def test_from_the_purchase_to_the_bank_and_back(shop: Any) -> None:
    await buys(shop, "ada", "200.00")
    ada = shop.member("ada")

    answer = await requested(ada, asked(shop, amount="6.00", destination="acct-1"))
    payout = answer["payout"]
    assert (answer["userErrors"], payout["state"], payout["member"]) == (
        [], "REQUESTED", {"externalId": "ada"},
    )  # fmt: skip
    paid = await told(shop.service, shop, payout["id"], "PAID", reference="wire-7")
    assert (paid["payout"]["state"], paid["payout"]["reference"]) == ("PAID", "wire-7")
    back = await told(shop.service, shop, payout["id"], "RETURNED", reason="account closed")
    late = await told(shop.service, shop, payout["id"], "PAID")
    assert [one["payout"]["state"] for one in (back, late)] == ["RETURNED", "RETURNED"]

    mine = (await ada.run(MINE, who="ada"))["member"]
    (has,) = mine["cashback"]
    assert mine["balance"] == {"available": "10.00", "pending": "0.00"}
    assert (has["available"], has["requested"], has["paidOut"], has["owed"]) == (
        "10.00", "0.00", "0.00", "0.00",
    )  # fmt: skip
    assert has["nextPayout"] == {
        "at": "2026-02-01T05:00:00Z", "amount": "10.00", "minimum": "10.00", "reached": True,
    }  # fmt: skip
    (edge,) = mine["payouts"]["edges"]
    assert (edge["node"]["state"], edge["node"]["reason"]) == ("RETURNED", "account closed")
    lines = [tuple(edge["node"].values()) for edge in mine["statement"]["edges"]]
    assert lines == [
        ("REVERSE", "6.00", "Payout came back"), ("BURN", "-6.00", "Payout"),
        ("GRANT", "10.00", "5 % back"),
    ]  # fmt: skip


async def test_what_is_under_way_and_paid_is_summed(shop: Any) -> None:
    await buys(shop, "ada", "400.00")
    first = await requested(shop.service, asked(shop, amount="6.00"))
    await requested(shop.service, asked(shop, amount="5.00"))
    await told(shop.service, shop, first["payout"]["id"], "PAID")

    (has,) = (await shop.admin.run(MINE, who="ada"))["member"]["cashback"]

    assert (has["available"], has["requested"], has["paidOut"]) == ("9.00", "5.00", "6.00")
    assert (has["nextPayout"]["amount"], has["nextPayout"]["reached"]) == ("9.00", False)


async def test_the_same_key_answers_the_same_and_another_amount_is_refused(shop: Any) -> None:
    await buys(shop, "ada", "400.00")
    given = asked(shop, amount="6.00")

    first, again = [await requested(shop.service, given) for _ in range(2)]
    other = await requested(shop.service, {**given, "amount": "7.00"})

    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["payout"] == again["payout"]
    assert [one["code"] for one in other["userErrors"]] == ["IDEMPOTENCY_MISMATCH"]


async def test_a_member_asks_for_their_own_only_and_says_nothing_of_its_end(shop: Any) -> None:
    await shop.enroll("bob")
    await buys(shop, "bob", "200.00")
    ada, bob = shop.member("ada"), shop.member("bob")

    refused = await requested(ada, asked(shop, "bob"))
    mine = await requested(bob, asked(shop, "bob"))
    closed = await bob.refused(
        TELL,
        input={"payout": mine["payout"]["id"], "state": "FAILED", "idempotencyKey": shop.key()},
    )
    hidden = await bob.refused(
        'query { member(by: {externalId: "bob"}) { payouts { edges { node { reference } } } } }'
    )

    assert [one["code"] for one in refused["userErrors"]] == ["MEMBER_NOT_FOUND"]
    assert mine["payout"]["amount"] == "10.00"
    assert [code for code, _ in closed] == ["FORBIDDEN"]
    assert [code for code, _ in hidden] == ["FORBIDDEN"]


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"amount": "4.99"}, "BAD_AMOUNT", "amount"),
        ({"amount": "-1"}, "BAD_AMOUNT", "amount"),
        ({"amount": "6.001"}, "BAD_AMOUNT", "amount"),
        ({"amount": "60.00"}, "INSUFFICIENT_BALANCE", "amount"),
        ({"unit": "points"}, "BAD_USER_INPUT", "unit"),
        ({"unit": "nothing"}, "UNIT_NOT_FOUND", "unit"),
        ({"program": "points"}, "PROGRAM_NOT_ACTIVE", "program"),
        ({"destination": " x"}, "BAD_USER_INPUT", "destination"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_place(
    shop: Any, more: dict[str, Any], code: str, field: str
) -> None:
    await buys(shop, "ada", "200.00")

    refused = await requested(shop.service, asked(shop) | more)

    assert [(one["code"], one["field"]) for one in refused["userErrors"]] == [(code, field)]
    assert (await shop.admin.run(PAGE, program="back"))["payouts"]["edges"] == []


async def test_a_payout_that_is_not_there_is_not_found(shop: Any) -> None:
    ghost = node_id("Payout", shop.tenant_id)

    refused = await told(shop.service, shop, ghost, "PAID")

    assert [(one["code"], one["field"]) for one in refused["userErrors"]] == [
        ("NOT_FOUND", "payout")
    ]


async def test_the_payouts_of_a_program_in_pages(shop: Any) -> None:
    await buys(shop, "ada", "1000.00")
    made = []
    for amount in ("5.00", "6.00", "7.00"):
        shop.clock.advance(timedelta(minutes=1))
        made.append(await requested(shop.service, asked(shop, amount=amount)))
    await told(shop.service, shop, made[1]["payout"]["id"], "PAID")

    async def page(**given: Any) -> Any:
        return (await shop.admin.run(PAGE, program="back", **given))["payouts"]

    first = await page(first=2)
    rest = await page(first=2, after=first["pageInfo"]["endCursor"])
    backward = await page(last=2, before=rest["pageInfo"]["startCursor"])
    waiting = await page(state="REQUESTED")

    def amounts(page: Any) -> list[str]:
        return [edge["node"]["amount"] for edge in page["edges"]]

    assert (amounts(first), amounts(rest)) == (["7.00", "6.00"], ["5.00"])
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert (amounts(backward), amounts(waiting)) == (["7.00", "6.00"], ["7.00", "5.00"])
    assert (await shop.admin.run(PAGE, program="points"))["payouts"] is None


async def test_a_preview_and_an_explanation_name_it_beside_points(shop: Any) -> None:
    basket = {"currency": "USD", "total": "20.00"}

    seen = (await shop.admin.run(PREVIEW_WHY, input=basket))["previewPurchase"]
    given = await buys(shop, "ada", "20.00")
    why = await shop.admin.run(WHY_NOT, source="shop", externalId=given["externalId"])

    assert [(one["unit"], one["amount"]) for one in seen["earned"]] == [
        ("points", "20"), ("USD", "1.00"),
    ]  # fmt: skip
    for decisions in (seen["decisions"], why["purchase"]["decisions"]):
        mine = [
            (one["rule"], one["fired"], one["granted"], one["reason"], one["part"])
            for one in decisions if one["program"] == "back"
        ]  # fmt: skip
        assert mine == [
            ("spend", True, "1.00", None, None),
            ("fuel", False, "0.00", "NOTHING_COUNTED", "include"),
        ]


async def test_money_is_a_tender_at_the_checkout(shop: Any) -> None:
    await buys(shop, "ada", "200.00")
    given = {
        "member": {"externalId": "ada"}, "program": "back", "unit": "USD", "amount": "4.00",
        "idempotencyKey": shop.key(),
    }  # fmt: skip
    held = (await shop.service.run(REDEEM, input=given))["redeemPoints"]["redemption"]
    captured = (await shop.service.run(CAPTURE, input={
        "redemption": held["id"], "amount": "3.00", "idempotencyKey": shop.key()}
    ))["captureRedemption"]["redemption"]  # fmt: skip

    (has,) = (await shop.admin.run(MINE, who="ada"))["member"]["cashback"]

    assert (held["state"], captured["state"], captured["captured"]) == ("HELD", "CAPTURED", "3.00")
    assert has["available"] == "7.00"


async def test_a_category_is_chosen_in_a_cashback_program(make_brand: Callable[..., Any]) -> None:
    brand = await make_brand(config=None)
    await brand.make_unit("USD", kind=UnitKind.MONEY)
    options = [{"id": one, "label": one, "categories": [one]} for one in ("fuel", "food")]
    rule = {"id": "spend", "label": "Back", "percent": "1",
            "rates": [{"choice": "best", "percent": "5"}]}  # fmt: skip
    config = {
        "unit": "USD", "currency": "USD", "rules": [rule],
        "choices": [{"id": "best", "label": "Best", "options": options}],
    }  # fmt: skip
    await brand.run_program("back", config, kind="cashback")
    await brand.enroll("ada")
    choose = """mutation($input: ChooseInput!) { choose(input: $input) {
      choice { program id current } userErrors { code field } } }"""

    done = await brand.member("ada").run(choose, input={
        "member": {"externalId": "ada"}, "program": "back", "choice": "best",
        "options": ["food"], "idempotencyKey": brand.key()})  # fmt: skip
    await buys(brand, "ada", "100.00", lines=[{"category": "food", "amount": "100.00"}])

    assert done["choose"]["choice"] == {"program": "back", "id": "best", "current": ["food"]}
    (has,) = (await brand.admin.run(MINE, who="ada"))["member"]["cashback"]
    assert has["available"] == "5.00"


async def test_a_backtest_counts_money_at_what_it_is_worth(shop: Any, dsn: Addresses) -> None:
    await buys(shop, "ada", "200.00")
    rules = [{**CONFIG["rules"][0], "percent": "7"}]
    given = {
        "program": "back", "config": {**CONFIG, "rules": rules},
        "from": "2025-12-01T00:00:00Z", "to": "2026-02-01T00:00:00Z",
    }  # fmt: skip
    settings = Settings(worker_database_url=dsn.worker)
    async with open_ledger(settings, dsn.worker, clock=shop.clock, pool=3) as ledger:
        worker = Worker(ledger.recorder, PublishedVersions(), walker=Walker(settings))
        queued = (await done(shop.admin, "startBacktest", **given))["backtest"]
        await worker.run_due(shop.tenant_id)
        await worker.backtests.wait()
        found = (await shop.admin.run(ONE, id=queued["id"]))["backtest"]
        await worker.backtests.close()

    assert (found["state"], found["error"]) == ("DONE", None)
    (unit,) = found["report"]["units"]
    sums = [(unit[side]["net"], unit[side]["cost"]) for side in ("published", "draft")]
    assert (unit["currency"], sums) == ("USD", [("10.00", "10.00"), ("14.00", "14.00")])
