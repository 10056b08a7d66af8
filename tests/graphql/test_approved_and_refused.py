"""What a second person approved and the ledger refused: both are told, and it may be done later."""

import asyncio
from datetime import timedelta
from typing import Any

from loyalty_tenants.principal import Role
from tests.graphql.desk_documents import ALL, asked, available, done, refusal, waiting
from tests.graphql.test_two_persons import adjustment, ruled


async def test_what_was_approved_and_is_refused_by_the_ledger_says_so_to_both(brand: Any) -> None:
    anna, bert = await ruled(brand)
    given = adjustment(brand, "-150")
    request = (await done(anna, "adjustBalance", **given))["approval"]

    payload = await asked(bert, "approveRequest", id=request["id"], note="Seen")

    assert [error["code"] for error in payload["userErrors"]] == ["INSUFFICIENT_BALANCE"]
    approved = payload["approval"]
    assert (approved["state"], approved["reason"]["code"]) == ("FAILED", "INSUFFICIENT_BALANCE")
    assert approved["adjustments"] == {
        "state": "DONE", "done": {"items": 0, "gives": "0", "takes": "0"},
    }  # fmt: skip
    payload = await asked(anna, "adjustBalance", **given)
    assert [error["code"] for error in payload["userErrors"]] == ["INSUFFICIENT_BALANCE"]
    assert payload["approval"] == approved
    assert approved in await waiting(anna, ALL)
    assert await waiting(bert) == []
    assert await available(brand, "ada") == "0"


async def test_it_may_be_approved_again_once_the_cause_is_gone(brand: Any) -> None:
    anna, bert = await ruled(brand)
    given = adjustment(brand, "-150")
    request = (await done(anna, "adjustBalance", **given))["approval"]
    await asked(bert, "approveRequest", id=request["id"])
    assert await refusal(anna, "approveRequest", id=request["id"]) == ("SAME_PERSON", "id")
    again = await refusal(bert, "approveRequest", id=request["id"])
    assert again == ("INSUFFICIENT_BALANCE", "amount")
    for amount in ("100", "60"):
        other = (await done(anna, "adjustBalance", **adjustment(brand, amount)))["approval"]
        if other:
            await done(bert, "approveRequest", id=other["id"])

    others = [brand.token(Role.ADMIN, f"second-{n}") for n in range(6)]
    answers = await asyncio.gather(
        *(asked(other, "approveRequest", id=request["id"]) for other in others)
    )

    codes = [[error["code"] for error in one["userErrors"]] for one in answers]
    assert sorted(codes) == [[], *[["ALREADY_DECIDED"]] * 5]
    (approved,) = [one["approval"] for one in answers if one["approval"]]
    assert (approved["state"], approved["reason"]) == ("APPROVED", None)
    assert approved["adjustments"]["done"] == {"items": 1, "gives": "0", "takes": "150"}
    assert await available(brand, "ada") == "10"
    paid = await done(anna, "adjustBalance", **given)
    assert (paid["replayed"], paid["balance"]["available"]) == (True, "10")


async def test_what_failed_can_be_taken_back_and_is_not_done_later(brand: Any, work: Any) -> None:
    anna, bert = await ruled(brand, lifetimeSeconds=600)
    requests = []
    for _ in range(3):
        asking = await done(anna, "adjustBalance", **adjustment(brand, "-150"))
        requests.append(asking["approval"]["id"])
        await asked(bert, "approveRequest", id=requests[-1])
    took_back = await done(anna, "rejectRequest", id=requests[0])
    said_no = await done(bert, "rejectRequest", id=requests[1])
    assert took_back["approval"]["state"] == "WITHDRAWN"
    assert said_no["approval"]["state"] == "REJECTED"
    assert said_no["approval"]["adjustments"]["state"] == "CANCELLED"
    given = (await done(anna, "adjustBalance", **adjustment(brand, "200")))["approval"]
    await done(bert, "approveRequest", id=given["id"])
    before = brand.clock.now()
    try:
        brand.clock.at = before + timedelta(seconds=600)
        late = ("APPROVAL_EXPIRED", "id")
        assert await refusal(bert, "approveRequest", id=requests[2]) == late
        await work(brand)
    finally:
        brand.clock.at = before
    for one in requests[:2]:
        assert await refusal(bert, "approveRequest", id=one) == ("ALREADY_DECIDED", "id")
    assert await available(brand, "ada") == "200"


async def test_an_order_of_which_nothing_could_be_done_failed_and_one_of_a_part_did_not(
    brand: Any,
) -> None:
    anna, bert = await ruled(brand)
    await brand.enroll("bob")
    await brand.enroll("eve")
    assert (await done(anna, "adjustBalance", **adjustment(brand, "80")))["approval"] is None

    async def order(*who: str) -> Any:
        items = [{"member": {"externalId": one}, "amount": "-80"} for one in who]
        given = {"unit": "points", "reasonCode": "GOODWILL", "items": items}
        await done(anna, "adjustBalances", **given, idempotencyKey=brand.key())
        (request,) = await waiting(bert)
        return await asked(bert, "approveRequest", id=request["id"])

    none = await order("bob", "eve")
    assert [error["code"] for error in none["userErrors"]] == ["INSUFFICIENT_BALANCE"]
    assert none["approval"]["state"] == "FAILED"
    part = await order("bob", "ada")
    assert (part["approval"]["state"], part["userErrors"]) == ("APPROVED", [])
    assert part["approval"]["adjustments"]["done"]["items"] == 1
    assert await available(brand, "ada") == "0"
