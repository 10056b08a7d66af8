"""What looks like one person behind two members is held or blocked, with its reasons."""

import json
from itertools import pairwise
from typing import Any

import pytest

NOTHING, PAID = ("0", "0", "0"), ("0", "500", "0")


@pytest.mark.parametrize(
    ("mine", "theirs", "reason"),
    [
        ({"email": "Ada.Lovelace@example.com"}, {"email": "adalovelace+1@EXAMPLE.com"}, "EMAIL"),
        ({"email": "ada@gmail.com"}, {"email": " a.d.a+shop@googlemail.com"}, "EMAIL"),
        ({"email": "ada@bücher.example"}, {"email": "a.da@XN--BCHER-KVA.example."}, "EMAIL"),
        ({"device": "d-1"}, {"device": "d-1"}, "DEVICE"),
        ({"payment_fingerprint": "card-1"}, {"payment_fingerprint": "card-1"}, "PAYMENT"),
    ],
)
async def test_the_same_email_device_or_payment_is_blocked(
    circle: Any, mine: Any, theirs: Any, reason: str
) -> None:
    """RF-1: blocked with a reason, nobody is paid, and an admin may overrule it."""
    story = await circle()
    await story.enrolls("ada", **mine)
    await story.brings("ada", "bob", **theirs)
    case = await story.case("bob")
    assert (case["verdict"], case["reasons"]) == ("BLOCKED", [f"SAME_{reason}"])

    await story.buys("bob", "30.00")
    assert (await story.has("ada"), await story.has("bob")) == (NOTHING, NOTHING)
    assert await story.state("bob") == "BLOCKED"

    await story.reviews("bob", release=True, reason="Twins, I have seen both")
    assert (await story.has("ada"), await story.has("bob")) == (PAID, ("0", "250", "0"))


async def test_other_people_are_not_blocked(circle: Any) -> None:
    story = await circle()
    await story.enrolls("ada", email="ada@example.com", device="d-1", address="1 Main St.")
    await story.enrolls("eve", email="bob@example.com", device="d-2", address="2 Main St.")
    await story.brings("ada", "bob", email="b.ob@example.org", device="d-2", address="2 Main St.")
    await story.buys("bob", "30.00")
    assert (await story.case("bob"))["reasons"] == []
    assert await story.has("ada") == PAID


async def test_a_device_of_another_friend_of_the_same_referrer_is_blocked(circle: Any) -> None:
    story = await circle()
    await story.enrolls("ada")
    await story.brings("ada", "bob", device="d-9")
    await story.brings("ada", "carl", device="d-9")
    assert (await story.case("bob"))["reasons"] == []
    assert (await story.case("carl"))["reasons"] == ["SAME_DEVICE"]


async def test_the_order_itself_may_tell_who_it_is(circle: Any) -> None:
    """What is only known with the order that qualifies: the card that it is paid with."""
    story = await circle()
    await story.enrolls("ada")
    await story.buys("ada", "10.00", attributes={"payment_fingerprint": "card-1"})
    await story.brings("ada", "bob")
    await story.buys("bob", "30.00", attributes={"payment_fingerprint": "card-1"})

    case = await story.case("bob")
    assert (case["state"], case["reasons"]) == ("BLOCKED", ["SAME_PAYMENT"])
    assert (await story.has("ada"), await story.has("bob")) == (NOTHING, NOTHING)


async def test_the_same_address_is_held_and_released_by_an_admin_once(circle: Any) -> None:
    story = await circle()
    await story.enrolls("ada", address="1 Main Street, Springfield")
    await story.brings("ada", "bob", address="1 main street - springfield")
    await story.buys("bob", "30.00")
    assert await story.state("bob") == "HELD"
    assert (await story.has("ada"), await story.has("bob")) == (NOTHING, NOTHING)

    await story.passes(days=3)
    done = await story.reviews("bob", release=True, reason="Neighbours")
    assert done["referral"]["verdict"] == "RELEASED"
    assert done["referral"]["decisionReason"] == "Neighbours"
    assert done["referral"]["decidedBy"].startswith("admin:")
    assert (await story.has("ada"), await story.has("bob")) == (PAID, ("0", "250", "0"))
    await story.passes(days=11)
    assert (await story.has("ada"), await story.has("bob")) == (
        ("500", "0", "0"), ("250", "0", "0"),
    )  # fmt: skip

    again = await story.reviews("bob", release=False)
    assert [one["code"] for one in again["userErrors"]] == ["ALREADY_DECIDED"]


async def test_what_is_released_late_lives_as_long_as_it_would_have(circle: Any) -> None:
    rewards = {
        "referrer": [{"id": "money", "label": "Money", "unit": "points", "amount": "5",
                      "lifetime": {"span": "P30D"}}],
    }  # fmt: skip
    story = await circle(rewards=rewards)
    await story.enrolls("ada", address="1 Main Street")
    await story.brings("ada", "bob", address="1 Main Street")
    await story.buys("bob", "30.00")
    await story.passes(days=50)
    done = await story.reviews("bob", release=True)
    assert done["referral"]["usableAt"] == done["referral"]["decidedAt"]
    await story.passes(days=29)
    assert await story.has("ada") == ("5", "0", "0")
    await story.passes(days=1)
    assert await story.has("ada") == NOTHING


async def test_a_released_referral_is_reversed_by_a_return_like_any_other(circle: Any) -> None:
    story = await circle()
    await story.enrolls("ada", address="1 Main Street")
    await story.brings("ada", "bob", address="1 Main Street")
    order = await story.buys("bob", "30.00")
    await story.reviews("bob", release=True)
    await story.brings_back(order)
    assert (await story.has("ada"), await story.has("bob")) == (NOTHING, NOTHING)

    await story.buys("bob", "50.00")
    assert (await story.has("ada"), await story.has("bob")) == (PAID, ("0", "250", "0"))


@pytest.mark.parametrize("returned_first", [True, False])
async def test_what_came_back_while_it_was_held_is_not_paid(
    circle: Any, returned_first: bool
) -> None:
    story = await circle()
    await story.enrolls("ada", address="1 Main Street")
    await story.brings("ada", "bob", address="1 Main Street")
    order = await story.buys("bob", "30.00")
    if returned_first:
        await story.brings_back(order, worked=False)
        await story.reviews("bob", release=True, worked=False)
    else:
        await story.reviews("bob", release=True, worked=False)
        await story.brings_back(order, worked=False)
    await story.works()
    assert (await story.has("ada"), await story.has("bob")) == (NOTHING, NOTHING)
    assert await story.state("bob") == "OPEN"


async def test_what_an_admin_refused_is_never_paid(circle: Any) -> None:
    story = await circle()
    await story.enrolls("ada", address="1 Main Street")
    await story.brings("ada", "bob", address="1 Main Street")
    await story.buys("bob", "30.00")
    await story.reviews("bob", release=False, reason="One household")
    await story.buys("bob", "30.00")
    assert (await story.has("ada"), await story.has("bob")) == (NOTHING, NOTHING)
    assert await story.state("bob") == "REFUSED"


async def test_what_was_released_before_the_order_is_paid_with_it(circle: Any) -> None:
    story = await circle()
    await story.enrolls("ada", address="1 Main Street")
    await story.brings("ada", "bob", address="1 Main Street")
    await story.reviews("bob", release=True)
    await story.buys("bob", "30.00")
    assert (await story.has("ada"), await story.has("bob")) == (PAID, ("0", "250", "0"))


@pytest.mark.parametrize("members", [2, 3, 4, 5])
async def test_a_ring_of_up_to_four_is_held(circle: Any, members: int) -> None:
    """Each brought the next, and the last claims to have brought the first."""
    story = await circle(attribution={"open_for": None})
    names = [f"m{number}" for number in range(members)]
    await story.enrolls(names[0])
    for referrer, friend in pairwise(names):
        await story.brings(referrer, friend)
    claim = await story.claims(names[0], await story.code_of(names[-1]))
    assert claim["userErrors"] == []
    await story.works()

    case = await story.case(names[0])
    assert (case["verdict"], case["reasons"]) == (
        ("REVIEW", ["RING"]) if members <= 4 else ("CLEAR", [])
    )  # fmt: skip


async def test_two_who_name_each_other_at_once_are_both_noticed(circle: Any) -> None:
    story = await circle()
    ada, bob = await story.enrolls("ada"), await story.enrolls("bob")
    await story.claims("ada", bob)
    await story.claims("bob", ada)
    await story.works()
    assert [(await story.case(name))["reasons"] for name in ("ada", "bob")] == [["RING"]] * 2


async def test_too_many_friends_in_a_short_time_are_held(circle: Any) -> None:
    story = await circle(guards={"velocity": {"friends": 2, "hours": 24}})
    await story.claims(
        "ada", await story.enrolls("ada")
    )  # her own code makes her no friend of hers
    for friend in ("b", "c", "d"):
        await story.brings("ada", friend)
        await story.passes(hours=1)
    await story.passes(hours=23)
    await story.brings("ada", "e")

    reasons = {one["friend"]["externalId"]: one["reasons"] for one in await story.cases()}
    assert reasons.pop("ada") == ["SAME_MEMBER"]
    assert reasons == {"b": [], "c": [], "d": ["VELOCITY"], "e": []}


async def test_ones_own_code_is_blocked_and_answered_as_one_that_is_none(circle: Any) -> None:
    story = await circle()
    own = await story.enrolls("ada")
    claim = await story.claims("ada", own)
    assert [(one["code"], one["field"]) for one in claim["userErrors"]] == [("NOT_FOUND", "code")]
    case = await story.case("ada")
    assert (case["verdict"], case["reasons"]) == ("BLOCKED", ["SAME_MEMBER"])

    await story.enrolls("eve")
    assert (await story.claims("ada", await story.code_of("eve")))["userErrors"] == []
    assert (await story.case("ada"))["verdict"] == "CLEAR"


async def test_no_address_is_kept_anywhere(circle: Any, written: Any) -> None:
    """Neither in tables of the plugin's own nor in the fact of the claim."""
    story = await circle()
    ada = await story.enrolls("ada")
    await story.enrolls("bob")
    await story.claims("bob", ada, email="bob@canary.example", device="canary-device",
                       payment="canary-card", address="Canary Street 1")  # fmt: skip
    await story.works()
    found = await written(story.brand.tenant_id)
    assert len(found["referral_signal"]) == 4
    assert [name for name, rows in found.items() if "canary" in "".join(rows).lower()] == []


async def test_two_tenants_have_no_hash_in_common(circle: Any, written: Any) -> None:
    hashes = []
    for _ in range(2):
        story = await circle()
        await story.enrolls("ada", email="ada@example.com")
        (row,) = (await written(story.brand.tenant_id))["referral_signal"]
        hashes.append(json.loads(row)["hash"])
    assert len(hashes[0]) == len(hashes[1]) == 64
    assert hashes[0] != hashes[1]
