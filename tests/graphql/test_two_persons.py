"""The two-person rule: what is above the threshold is done once a second person approves, once."""

import asyncio
from datetime import timedelta
from typing import Any

from loyalty_tenants.principal import Role
from tests.graphql.desk_documents import ALL, asked, available, done, refusal, waiting

ADA = {"externalId": "ada"}
PROGRAM = "{ programs { id version versions { number } } }"
PUBLISH = """mutation($input: PublishProgramInput!) { publishProgram(input: $input) {
  version { number } approval { id kind state } userErrors { code field } } }"""
UPDATE = """mutation($input: UpdateProgramInput!) { updateProgram(input: $input) {
  program { version } userErrors { code field } } }"""


def adjustment(brand: Any, amount: str, **more: Any) -> dict[str, Any]:
    return {
        "member": ADA, "unit": "points", "amount": amount, "reasonCode": "GOODWILL",
        "idempotencyKey": brand.key(), **more,
    }  # fmt: skip


async def ruled(brand: Any, above: str = "100", **more: Any) -> tuple[Any, Any]:
    """Two persons of a tenant in which corrections above an amount need both."""
    await brand.enroll("ada")
    thresholds = [{"unit": "points", "above": above}]
    set_ = await done(brand.admin, "setApprovalPolicy", thresholds=thresholds, **more)
    assert set_["approval"] is None
    return brand.token(Role.ADMIN, "anna"), brand.token(Role.ADMIN, "bert")


async def test_up_to_the_threshold_one_person_will_do(brand: Any) -> None:
    anna, _ = await ruled(brand)

    paid = await done(anna, "adjustBalance", **adjustment(brand, "100"))
    assert (paid["approval"], paid["balance"]["available"]) == (None, "100")
    taken = await done(anna, "adjustBalance", **adjustment(brand, "-100"))
    assert (taken["approval"], taken["balance"]["available"]) == (None, "0")


async def test_above_it_a_second_person_must_approve(brand: Any) -> None:
    anna, bert = await ruled(brand)
    given = adjustment(brand, "101", note="Sorry for the delay")

    payload = await done(anna, "adjustBalance", **given)

    request = payload["approval"]
    assert (payload["balance"], payload["replayed"]) == (None, False)
    assert (request["kind"], request["state"], request["askedBy"]) == (
        "ADJUSTMENT", "WAITING", "anna",
    )  # fmt: skip
    assert request["details"]["gives"] == "101"
    again = await done(anna, "adjustBalance", **given)
    assert (again["replayed"], again["approval"]) == (True, request)
    changed = {**given, "amount": "102"}
    assert await refusal(anna, "adjustBalance", **changed) == (
        "IDEMPOTENCY_MISMATCH", "idempotencyKey",
    )  # fmt: skip
    assert await available(brand, "ada") == "0"
    assert [one["id"] for one in await waiting(bert)] == [request["id"]]
    assert await refusal(anna, "approveRequest", id=request["id"]) == ("SAME_PERSON", "id")

    approved = await done(bert, "approveRequest", id=request["id"], note="Seen")

    assert approved["approval"]["state"] == "APPROVED"
    assert (approved["approval"]["decidedBy"], approved["approval"]["note"]) == ("bert", "Seen")
    assert approved["approval"]["adjustments"] == {
        "state": "DONE", "done": {"items": 1, "gives": "101", "takes": "0"},
    }  # fmt: skip
    assert await available(brand, "ada") == "101"
    assert await refusal(bert, "approveRequest", id=request["id"]) == ("ALREADY_DECIDED", "id")
    paid = await done(anna, "adjustBalance", **given)
    assert (paid["replayed"], paid["balance"]["available"]) == (True, "101")
    assert await waiting(bert) == []


async def test_two_who_approve_at_once_apply_it_once(brand: Any) -> None:
    anna, _ = await ruled(brand)
    others = [brand.token(Role.ADMIN, f"second-{n}") for n in range(8)]

    for _ in range(3):
        request = (await done(anna, "adjustBalance", **adjustment(brand, "150")))["approval"]
        answers = await asyncio.gather(
            *(asked(other, "approveRequest", id=request["id"]) for other in others)
        )
        codes = [[error["code"] for error in one["userErrors"]] for one in answers]
        assert sorted(codes) == [[], *[["ALREADY_DECIDED"]] * 7]

    assert await available(brand, "ada") == "450"


async def test_one_approves_and_one_rejects_and_only_one_of_it_happens(brand: Any) -> None:
    anna, bert = await ruled(brand)
    carl = brand.token(Role.ADMIN, "carl")
    given = 0

    for _ in range(6):
        request = (await done(anna, "adjustBalance", **adjustment(brand, "150")))["approval"]
        yes, no = await asyncio.gather(
            asked(bert, "approveRequest", id=request["id"]),
            asked(carl, "rejectRequest", id=request["id"]),
        )
        assert (yes["userErrors"] == []) is not (no["userErrors"] == [])
        given += 150 if yes["userErrors"] == [] else 0

    assert await available(brand, "ada") == str(given)


async def test_rejected_withdrawn_and_expired_ones_do_nothing(brand: Any, server: Any) -> None:
    anna, bert = await ruled(brand, lifetimeSeconds=600)
    requests = [
        (await done(anna, "adjustBalance", **adjustment(brand, "150")))["approval"]
        for _ in range(3)
    ]
    said_no = await done(bert, "rejectRequest", id=requests[0]["id"], note="Too much")
    assert (said_no["approval"]["state"], said_no["approval"]["note"]) == ("REJECTED", "Too much")
    took_back = await done(anna, "rejectRequest", id=requests[1]["id"])
    assert took_back["approval"]["state"] == "WITHDRAWN"
    before = brand.clock.now()
    try:
        brand.clock.at = before + timedelta(seconds=600)
        late = ("APPROVAL_EXPIRED", "id")
        assert await refusal(bert, "approveRequest", id=requests[2]["id"]) == late
        assert await waiting(bert) == []
        states = {one["id"]: one["state"] for one in await waiting(bert, ALL)}
    finally:
        brand.clock.at = before

    assert [states[one["id"]] for one in requests] == ["REJECTED", "WITHDRAWN", "EXPIRED"]
    assert await refusal(bert, "approveRequest", id=requests[0]["id"]) == ("ALREADY_DECIDED", "id")
    assert await available(brand, "ada") == "0"


async def test_publishing_waits_for_a_second_person(brand: Any) -> None:
    anna, bert = await ruled(brand, publishing=True)
    program = (await anna.run(PROGRAM))["programs"][0]
    of = {"id": program["id"], "expectedVersion": program["version"]}

    asked_for = (await anna.run(PUBLISH, input=of))["publishProgram"]
    assert (asked_for["version"], asked_for["userErrors"]) == (None, [])
    assert asked_for["approval"]["kind"] == "PUBLICATION"
    assert len((await anna.run(PROGRAM))["programs"][0]["versions"]) == 1

    approved = await done(bert, "approveRequest", id=asked_for["approval"]["id"])
    assert approved["approval"]["state"] == "APPROVED"
    assert len((await anna.run(PROGRAM))["programs"][0]["versions"]) == 2


async def test_a_draft_that_changed_since_is_not_published(brand: Any) -> None:
    anna, bert = await ruled(brand, publishing=True)
    program = (await anna.run(PROGRAM))["programs"][0]
    of = {"id": program["id"], "expectedVersion": program["version"]}
    request = (await anna.run(PUBLISH, input=of))["publishProgram"]["approval"]
    await anna.run(UPDATE, input={**of, "name": "Another"})

    failed = await asked(bert, "approveRequest", id=request["id"])

    assert [error["code"] for error in failed["userErrors"]] == ["VERSION_CONFLICT"]
    assert failed["approval"]["state"] == "FAILED"
    assert failed["approval"]["reason"]["code"] == "VERSION_CONFLICT"
    assert len((await anna.run(PROGRAM))["programs"][0]["versions"]) == 1


async def test_the_rule_is_not_lifted_by_one_person(brand: Any) -> None:
    anna, bert = await ruled(brand)

    lifted = await done(anna, "setApprovalPolicy", thresholds=[])

    assert lifted["policy"]["thresholds"] == [{"unit": "points", "above": "100"}]
    assert (await done(anna, "adjustBalance", **adjustment(brand, "150")))["approval"] is not None
    await done(bert, "approveRequest", id=lifted["approval"]["id"])
    assert (await done(anna, "adjustBalance", **adjustment(brand, "150")))["approval"] is None
    assert await available(brand, "ada") == "150"


async def test_who_decides_reads_amounts_in_the_places_of_their_unit(brand: Any) -> None:
    await brand.make_unit("stars", 2)
    anna, _ = await ruled(brand)
    limit = [{"unit": "stars", "above": "0.50"}]
    changed = (await done(anna, "setApprovalPolicy", thresholds=limit))["approval"]
    await done(brand.token(Role.ADMIN, "bert"), "approveRequest", id=changed["id"])

    given = {**adjustment(brand, "-12.50"), "unit": "stars", "allowDeficit": True}
    request = (await done(anna, "adjustBalance", **given))["approval"]

    assert changed["details"]["above"] == {"stars": "0.50"}
    assert (request["details"]["gives"], request["details"]["takes"]) == ("0.00", "12.50")


async def test_another_tenants_request_is_none(brand: Any, make_brand: Any) -> None:
    anna, _ = await ruled(brand)
    request = (await done(anna, "adjustBalance", **adjustment(brand, "150")))["approval"]
    other = await make_brand()

    assert await refusal(other.admin, "approveRequest", id=request["id"]) == ("NOT_FOUND", "id")
    assert await waiting(other.admin) == []


async def test_till_and_member_may_not_approve(brand: Any) -> None:
    anna, _ = await ruled(brand)
    request = (await done(anna, "adjustBalance", **adjustment(brand, "150")))["approval"]
    for client in (brand.service, brand.member("ada")):
        answer = await client.post(
            """mutation($input: DecideApprovalInput!) { approveRequest(input: $input) {
                 userErrors { code } } }""",
            {"input": {"id": request["id"]}},
        )
        assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert await available(brand, "ada") == "0"


async def test_small_corrections_add_up_over_a_day(brand: Any) -> None:
    anna, bert = await ruled(brand)
    await brand.enroll("bob")

    assert (await done(anna, "adjustBalance", **adjustment(brand, "60")))["approval"] is None
    second = await done(bert, "adjustBalance", **adjustment(brand, "41"))
    assert (second["balance"], second["approval"]["state"]) == (None, "WAITING")
    assert await available(brand, "ada") == "60"
    assert (await done(anna, "adjustBalance", **adjustment(brand, "40")))["approval"] is None
    # Given and taken are apart, and so are members.
    assert (await done(anna, "adjustBalance", **adjustment(brand, "-100")))["approval"] is None
    others = {"member": {"externalId": "bob"}}
    assert (await done(anna, "adjustBalance", **adjustment(brand, "100", **others)))[
        "approval"
    ] is None

    await done(anna, "approveRequest", id=second["approval"]["id"])
    assert await available(brand, "ada") == "41"
    before = brand.clock.now()
    try:
        brand.clock.at = before + timedelta(days=1)
        anna = brand.token(Role.ADMIN, "anna")
        tomorrow = await done(anna, "adjustBalance", **adjustment(brand, "100"))
        assert tomorrow["balance"]["available"] == "141"
    finally:
        brand.clock.at = before


async def test_many_small_ones_at_once_are_one_persons_sum_and_no_more(brand: Any) -> None:
    anna, _ = await ruled(brand)

    answers = await asyncio.gather(
        *(done(anna, "adjustBalance", **adjustment(brand, "9")) for _ in range(24))
    )

    assert sum(one["approval"] is None for one in answers) == 11
    assert await available(brand, "ada") == "99"


async def test_an_order_for_many_is_no_way_around_it(brand: Any) -> None:
    anna, _ = await ruled(brand)
    await brand.enroll("bob")

    for _ in range(3):
        items = [{"member": {"externalId": one}, "amount": "40"} for one in ("ada", "bob")]
        given = {"unit": "points", "reasonCode": "GOODWILL", "items": items}
        await done(anna, "adjustBalances", **given, idempotencyKey=brand.key())

    assert await available(brand, "ada") == "80"
    assert await available(brand, "bob") == "80"


async def test_one_name_is_one_person_in_whatever_role(brand: Any) -> None:
    await ruled(brand)
    anna = brand.token(Role.SERVICE, "anna", scopes=["balances:adjust"])
    request = (await done(anna, "adjustBalance", **adjustment(brand, "150")))["approval"]

    refused = await refusal(brand.token(Role.ADMIN, "anna"), "approveRequest", id=request["id"])
    assert refused == ("SAME_PERSON", "id")
    await done(brand.token(Role.ADMIN, "bert"), "approveRequest", id=request["id"])
    assert await available(brand, "ada") == "150"
