"""Many members corrected under one key: previewed, settled in slices, exact, and resumed."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.errors import Code, Refused
from loyalty_tenants.desk import settling
from loyalty_tenants.principal import Role
from tests.graphql.desk_documents import asked, available, done, refusal

ONE = """query($id: ID!, $state: AdjustmentItemState) { bulkAdjustment(id: $id) { state
  done { items gives takes } refused { items } outcomes(state: $state) { edges { node {
    index externalId } } } } }"""
FACTS = "select count(*) from loyalty.fact where kind = 'AdjustBalance' and tenant_id = $1"


def order(brand: Any, *items: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {
        "unit": "points", "reasonCode": "GOODWILL", "idempotencyKey": brand.key(),
        "items": [{"member": {"externalId": who}, "amount": amount} for who, amount in items],
        **more,
    }  # fmt: skip


async def members(brand: Any, *names: str) -> None:
    for name in names:
        await brand.enroll(name)


async def test_each_item_has_its_own_outcome_and_none_holds_up_the_others(brand: Any) -> None:
    await members(brand, "ada", "bob")
    given = order(brand, ("ada", "30"), ("eve", "5"), ("bob", "-1"), ("ada", "-10"))

    payload = await done(brand.admin, "adjustBalances", **given)

    bulk = payload["bulkAdjustment"]
    assert (bulk["state"], payload["replayed"]) == ("DONE", False)
    assert bulk["asked"] == {"items": 4, "gives": "35", "takes": "11"}
    assert bulk["done"] == {"items": 2, "gives": "30", "takes": "10"}
    assert bulk["refused"] == {"items": 2, "gives": "5", "takes": "1"}
    outcomes = [edge["node"] for edge in bulk["outcomes"]["edges"]]
    assert [(one["index"], one["externalId"], one["state"]) for one in outcomes] == [
        (0, "ada", "DONE"), (1, "eve", "REFUSED"), (2, "bob", "REFUSED"), (3, "ada", "DONE"),
    ]  # fmt: skip
    assert [error["code"] for one in outcomes for error in one["userErrors"]] == [
        "MEMBER_NOT_FOUND", "INSUFFICIENT_BALANCE",
    ]  # fmt: skip
    assert await available(brand, "ada") == "20"

    again = await done(brand.admin, "adjustBalances", **given)
    assert (again["replayed"], again["bulkAdjustment"]["id"]) == (True, bulk["id"])
    assert await available(brand, "ada") == "20"
    other = {**given, "items": given["items"][:1]}
    assert await refusal(brand.admin, "adjustBalances", **other) == (
        "IDEMPOTENCY_MISMATCH", "idempotencyKey",
    )  # fmt: skip


async def test_a_preview_says_what_would_come_of_it_and_writes_nothing(
    brand: Any, rows: Any
) -> None:
    await members(brand, "ada", "bob")
    given = order(brand, ("ada", "30"), ("eve", "5"), ("bob", "-1"), ("ada", "-10"))
    before = await rows.of(brand.tenant_id)

    seen = await done(brand.admin, "previewAdjustBalances", **given)

    assert await rows.of(brand.tenant_id) == before
    assert seen["asked"] == {"items": 4, "gives": "35", "takes": "11"}
    assert seen["accepted"] == {"items": 2, "gives": "30", "takes": "10"}
    assert [(one["index"], one["userErrors"][0]["code"]) for one in seen["outcomes"]] == [
        (1, "MEMBER_NOT_FOUND"), (2, "INSUFFICIENT_BALANCE"),
    ]  # fmt: skip
    placed = (await done(brand.admin, "adjustBalances", **given))["bulkAdjustment"]
    assert placed["done"] == seen["accepted"], "the preview is what happens"
    short = {**given, "idempotencyKey": "k"}
    for name in ("adjustBalances", "previewAdjustBalances"):
        assert await refusal(brand.admin, name, **short) == ("BAD_USER_INPUT", "idempotencyKey")


CSV_MISTAKES = {
    "member;amount\nada;1\n": ("BAD_USER_INPUT", "csv.1"),
    "member,amount\n": ("BAD_USER_INPUT", "csv"),
    "member,amount\nada,1\nada\n": ("BAD_USER_INPUT", "csv.3"),
    "member,amount\nada,1\nada,1.5\n": ("BAD_AMOUNT", "csv.3.amount"),
    "member,amount\nada,0\n": ("BAD_AMOUNT", "csv.2.amount"),
    'member,amount\n"ada,1\n': ("BAD_USER_INPUT", "csv.2"),
    "member,amount\n,1\n": ("BAD_USER_INPUT", "csv.2.member"),
}


@pytest.mark.parametrize(("text", "expected"), CSV_MISTAKES.items())
async def test_a_mistake_in_a_csv_is_told_with_its_line(
    brand: Any, text: str, expected: tuple[str, str]
) -> None:
    given = {**order(brand), "csv": text}
    for name in ("adjustBalances", "previewAdjustBalances"):
        assert await refusal(brand.admin, name, **given) == expected


async def test_items_and_csv_are_not_named_together_nor_left_out(brand: Any) -> None:
    await members(brand, "ada")
    both = {**order(brand, ("ada", "1")), "csv": "member,amount\nada,1\n"}
    for given in (both, order(brand)):
        assert await refusal(brand.admin, "adjustBalances", **given) == ("BAD_USER_INPUT", "items")


async def test_a_large_order_is_begun_at_once_and_ended_by_a_worker(
    brand: Any, work: Any, operator: Any
) -> None:
    names = [f"m-{n:03}" for n in range(40)]
    await members(brand, *names)
    lines = [f"{name},{n + 1},Line {n}" for n, name in enumerate(names * 18)]
    text = "\ufeffmember,amount,note\r\n" + "\r\n".join(lines) + "\r\n"

    payload = await done(brand.admin, "adjustBalances", **order(brand), csv=text)

    bulk = payload["bulkAdjustment"]
    assert bulk["asked"] == {"items": 720, "gives": str(720 * 721 // 2), "takes": "0"}
    assert (bulk["state"], bulk["done"]["items"]) == ("RUNNING", 600)
    await work(brand)
    ended = (await brand.admin.run(ONE, id=bulk["id"]))["bulkAdjustment"]
    assert (ended["state"], ended["done"]) == ("DONE", bulk["asked"])
    # The first member has lines 1, 41, 81, ...
    assert await available(brand, "m-000") == str(sum(range(1, 721, 40)))


async def test_what_was_recorded_and_not_marked_is_not_recorded_twice(
    brand: Any, work: Any, monkeypatch: pytest.MonkeyPatch, rows: Any
) -> None:
    """The process dies between the commit of a slice and the note of what came of it."""
    await members(brand, "ada", "bob")

    async def dies(*given: Any) -> int:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(settling, "_mark", dies)
        payload = await done(
            brand.admin, "adjustBalances", **order(brand, ("ada", "30"), ("bob", "4"))
        )
    assert payload["bulkAdjustment"]["state"] == "RUNNING"
    assert await available(brand, "ada") == "30", "it was recorded"

    await work(brand)

    ended = (await brand.admin.run(ONE, id=payload["bulkAdjustment"]["id"]))["bulkAdjustment"]
    assert (ended["state"], ended["done"]) == ("DONE", {"items": 2, "gives": "34", "takes": "0"})
    assert (await available(brand, "ada"), await available(brand, "bob")) == ("30", "4")


async def test_what_may_succeed_later_is_tried_again(
    brand: Any, work: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await members(brand, "ada")
    lanes = brand.server.services.api.lanes

    async def busy(*given: Any) -> Any:
        raise Refused(Code.OVERLOADED, "busy")

    with monkeypatch.context() as patched:
        patched.setattr(type(lanes), "record_many", busy)
        payload = await done(brand.admin, "adjustBalances", **order(brand, ("ada", "30")))
    assert payload["bulkAdjustment"]["done"]["items"] == 0

    await work(brand)
    assert await available(brand, "ada") == "30"


async def test_together_above_the_threshold_a_second_person_must_approve(brand: Any) -> None:
    """Each of them is below it: what counts is what they come to."""
    await members(brand, "ada", "bob")
    await done(brand.admin, "setApprovalPolicy", thresholds=[{"unit": "points", "above": "100"}])
    anna, bert = brand.token(Role.ADMIN, "anna"), brand.token(Role.ADMIN, "bert")
    given = order(brand, ("ada", "60"), ("bob", "60"))

    assert (await done(anna, "previewAdjustBalances", **given))["needsApproval"] is True
    bulk = (await done(anna, "adjustBalances", **given))["bulkAdjustment"]
    assert (bulk["state"], bulk["effectiveAt"]) == ("WAITING", None)
    assert await available(brand, "ada") == "0"
    request = (
        await bert.run("{ approvalRequests { edges { node { id kind subject } } } }")
    )["approvalRequests"]["edges"][0]["node"]  # fmt: skip
    assert request["kind"] == "BULK_ADJUSTMENT"
    approved = await done(bert, "approveRequest", id=request["id"])
    assert approved["approval"]["adjustments"]["done"]["gives"] == "120"
    assert (await available(brand, "ada"), await available(brand, "bob")) == ("60", "60")

    refused = await done(anna, "adjustBalances", **order(brand, ("ada", "160")))
    request = (
        await bert.run("{ approvalRequests { edges { node { id } } } }")
    )["approvalRequests"]["edges"][0]["node"]  # fmt: skip
    await done(bert, "rejectRequest", id=request["id"])
    gone = (await anna.run(ONE, id=refused["bulkAdjustment"]["id"]))["bulkAdjustment"]
    assert gone["state"] == "CANCELLED"
    assert await available(brand, "ada") == "60"


async def test_reasons_are_the_tenants_list_with_label_and_term(brand: Any) -> None:
    await members(brand, "ada")
    given = {
        "member": {"externalId": "ada"}, "unit": "points", "amount": "10",
        "reasonCode": "WHATEVER", "idempotencyKey": brand.key(),
    }  # fmt: skip
    await done(brand.admin, "adjustBalance", **given)
    sorry = {"code": "SORRY", "label": "Our apologies", "expiresAfter": "P1M", "ends": "MONTH"}
    listed = await done(brand.admin, "setAdjustmentReason", **sorry)
    assert listed["reason"] == {**sorry, "retiredAt": None}

    error = (await asked(brand.admin, "adjustBalance", **{**given, "idempotencyKey": brand.key()}))[
        "userErrors"
    ][0]
    assert (error["code"], error["field"]) == ("REASON_NOT_LISTED", "reasonCode")
    assert error["details"] == {"listed": ["SORRY"]}
    bulk = order(brand, ("ada", "1"))
    assert await refusal(brand.admin, "adjustBalances", **bulk) == (
        "REASON_NOT_LISTED",
        "reasonCode",
    )
    assert (await done(brand.admin, "adjustBalance", **given))["replayed"], "a replay is a replay"

    key = brand.key()
    paid = {**given, "reasonCode": "SORRY", "idempotencyKey": key}
    balance = (await done(brand.admin, "adjustBalance", **paid))["balance"]
    # A month from 1 January, noon in New York, to the end of that month there.
    assert balance["expiries"][0] == {"at": "2026-03-01T05:00:00Z", "amount": "10"}
    data = await brand.admin.run(
        """{ member(by: {externalId: "ada"}) { statement(unit: "points", first: 1) {
             edges { node { label } } } } }"""
    )
    assert data["member"]["statement"]["edges"][0]["node"]["label"] == "Our apologies"

    await done(brand.admin, "setAdjustmentReason", **{**sorry, "expiresAfter": "P9M"})
    brand.clock.advance(timedelta(seconds=1))
    assert (await done(brand.admin, "adjustBalance", **paid))["replayed"] is True
    await done(brand.admin, "retireAdjustmentReason", code="SORRY")
    assert (await done(brand.admin, "adjustBalance", **paid))["replayed"] is True
    again = {**paid, "idempotencyKey": brand.key()}
    assert (await refusal(brand.admin, "adjustBalance", **again))[0] == "REASON_NOT_LISTED"
    reasons = await brand.admin.run("{ adjustmentReasons(retired: true) { code retiredAt } }")
    assert reasons["adjustmentReasons"][0]["retiredAt"] is not None
    wrong = {**sorry, "expiresAfter": "soon"}
    assert await refusal(brand.admin, "setAdjustmentReason", **wrong) == (
        "BAD_USER_INPUT", "expiresAfter",
    )  # fmt: skip


async def test_another_tenants_order_is_none(brand: Any, make_brand: Any) -> None:
    await members(brand, "ada")
    bulk = (await done(brand.admin, "adjustBalances", **order(brand, ("ada", "1"))))[
        "bulkAdjustment"
    ]
    other = await make_brand()
    assert await other.admin.run(ONE, id=bulk["id"]) == {"bulkAdjustment": None}


async def test_the_trail_tells_amounts_in_the_places_of_their_unit(brand: Any) -> None:
    """They are kept in minor units, as they were before: what is shown is worked out."""
    await brand.make_unit("stars", 2)
    await brand.enroll("ada")
    given = {"unit": "stars", "reasonCode": "GOODWILL", "idempotencyKey": brand.key()}
    amounts = [{"member": {"externalId": "ada"}, "amount": amount} for amount in ("12.50", "-0.05")]
    await done(brand.admin, "adjustBalances", **given, items=amounts)
    limits = [{"unit": "stars", "above": "0.50"}, {"unit": "points", "above": "100"}]
    await done(brand.admin, "setApprovalPolicy", thresholds=limits)

    data = await brand.admin.run("{ auditTrail(first: 2) { edges { node { action details } } } }")
    rule, order = (edge["node"] for edge in data["auditTrail"]["edges"])

    assert (order["action"], rule["action"]) == ("balances.adjust", "approval_policy.set")
    assert (order["details"]["gives"], order["details"]["takes"]) == ("12.50", "0.05")
    assert rule["details"]["above"] == {"stars": "0.50", "points": "100"}
