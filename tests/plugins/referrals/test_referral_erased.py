"""Friends who were rewarded and then erased: known again for a time, and by nothing but hashes."""

from typing import Any

import pytest

from loyalty_graphql.ids import uuid_of
from tests.graphql.lived import ERASE, export, ran
from tests.plugins.referrals.circle import FRIENDS

WHO = "query($by: MemberRef!) { member(by: $by) { id } }"
BOB = {"email": "bob@example.com", "device": "d-1"}
PAID = ("250", "0", "0")


async def rewarded_and_erased(story: Any, again: Any) -> str:
    """Bob is Ada's friend and rewarded, erased, and enrols anew; answers his old id."""
    await story.enrolls("ada", email="ada@example.com")
    await story.brings("ada", "bob", **BOB)
    await story.buys("bob", "30.00")
    await story.passes(days=15)
    assert await story.has("bob") == PAID
    done = await ran(story.brand.admin, ERASE, who={"externalId": "bob"})
    await story.works()
    await story.brings("ada", "bob", **again)
    await story.buys("bob", "30.00")
    await story.passes(days=15)
    return str(uuid_of(done["member"]["id"], "Member", field="id"))


@pytest.mark.parametrize(
    ("again", "reasons"),
    [
        (BOB, ["SAME_DEVICE", "SAME_EMAIL"]),
        ({"email": "B.O.B+new@example.com"}, ["SAME_EMAIL"]),
        ({"email": "bob@example.org"}, []),
    ],
)
async def test_who_is_erased_and_enrols_again_is_known(
    circle: Any, written: Any, again: Any, reasons: list[str]
) -> None:
    story = await circle()
    old = await rewarded_and_erased(story, again)

    assert (await story.case("bob"))["reasons"] == reasons
    assert await story.has("bob") == (("0", "0", "0") if reasons else PAID)
    rows = await written(story.brand.tenant_id)
    assert len(rows["referral_past"]) == 2
    assert old not in str(rows["referral_past"]), "whose they were is not kept"
    assert old not in str(rows["referral_signal"])
    held = (await export(story.brand.admin, {"externalId": "ada"}))["referral_past"]
    assert [set(row) for row in held] == 2 * [{"program_id", "referrer_id", "kind", "until"}]


async def test_what_is_remembered_is_forgotten_when_its_time_is_over(
    circle: Any, written: Any
) -> None:
    story = await circle(guards={"remembered_for": "P30D"})
    await rewarded_and_erased(story, {})  # in the middle of January: to the end of February
    for days in (15, 13):
        await story.passes(days=days)
        assert len((await written(story.brand.tenant_id))["referral_past"]) == 2
    await story.passes(days=2)
    assert (await written(story.brand.tenant_id))["referral_past"] == []
    await story.brings("ada", "carl", **BOB)
    assert (await story.case("carl"))["reasons"] == []


async def test_nothing_is_remembered_that_no_guard_asks_for(circle: Any, written: Any) -> None:
    for guards in ({"remembered_for": None}, {"email": "ignore", "device": "ignore"}):
        story = await circle(guards=guards)
        await rewarded_and_erased(story, BOB)
        assert (await story.case("bob"))["reasons"] == []
        assert await story.has("bob") == PAID
        assert (await written(story.brand.tenant_id))["referral_past"] == []


async def test_of_who_was_no_rewarded_friend_nothing_is_remembered(
    circle: Any, written: Any
) -> None:
    story = await circle()
    await story.enrolls("ada")
    await story.brings("ada", "bob", **BOB)  # without an order
    await story.brings("ada", "carl", email="carl@example.com")
    order = await story.buys("carl", "30.00")
    await story.brings_back(order)
    await story.enrolls("dora", email="dora@example.com")  # nobody's friend
    for name in ("bob", "carl", "dora"):
        await ran(story.brand.admin, ERASE, who={"externalId": name})
    assert (await written(story.brand.tenant_id))["referral_past"] == []


async def test_of_a_referrer_who_is_erased_already_nothing_is_remembered(
    circle: Any, written: Any
) -> None:
    story = await circle()
    await story.enrolls("ada", email="ada@example.com")
    await story.brings("ada", "bob", **BOB)
    await story.buys("bob", "30.00")
    await story.passes(days=15)
    for who in ("ada", "bob"):
        await ran(story.brand.admin, ERASE, who={"externalId": who})
        await story.works()
    assert (await written(story.brand.tenant_id))["referral_past"] == []


async def test_it_goes_with_the_referrer(circle: Any, written: Any) -> None:
    story = await circle()
    await rewarded_and_erased(story, {})
    await ran(story.brand.admin, ERASE, who={"externalId": "ada"})
    assert (await written(story.brand.tenant_id))["referral_past"] == []


async def test_a_copy_says_nothing_of_the_other_one_but_that_there_is_somebody(
    circle: Any, written: Any
) -> None:
    """Also not what staff wrote about the friend's review: that is in the friend's own copy."""
    story = await circle(rewards={
        **FRIENDS["rewards"],
        "ladder": [{"id": "first", "label": "First", "unit": "points", "amount": "5",
                    "friends": 1}],
    })  # fmt: skip
    await story.enrolls("ada", address="1 Main Street")
    await story.brings("ada", "bob", address="1 Main Street")
    await story.shares("ada")
    order = await story.buys("bob", "30.00")
    await story.reviews("bob", release=True, reason="Bob is her brother")
    await story.brings_back(order)
    ids = {}
    for name in ("ada", "bob"):
        data = await story.brand.admin.run(WHO, by={"externalId": name})
        ids[name] = data["member"]["id"]
    copies = {name: await export(story.brand.admin, {"externalId": name}) for name in ids}

    for name, other in (("ada", "bob"), ("bob", "ada")):
        text, uuid = str(copies[name]), str(uuid_of(ids[other], "Member", field="id"))
        assert uuid not in text
        assert ids[other] not in text
        assert f"'{other}'" not in text
        assert str(uuid_of(ids[name], "Member", field="id")) in text
    ada, bob = copies["ada"], copies["bob"]
    (mine,), (side,) = ada["referral"], ada["referral_side"]
    assert mine["friend_id"] == side["friend_id"], "somebody is the same one wherever they stand"
    assert mine["friend_id"].startswith("member:")
    assert mine["decided_why"] is None
    assert "brother" not in str(ada)
    assert bob["referral"][0]["decided_why"] == "Bob is her brother"
    assert bob["referral"][0]["referrer_id"].startswith("member:")
    rows = await written(story.brand.tenant_id)
    assert str(uuid_of(ids["bob"], "Member", field="id")) in str(rows["referral"])
