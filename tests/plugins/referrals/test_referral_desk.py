"""What admins, members and others see and may do; the funnel."""

from typing import Any

from loyalty_app.installed import installed
from loyalty_app.logins import Addresses
from tests.auditor import audit
from tests.graphql.lived import ERASE, ran
from tests.plugins.referrals.circle import CASES, FRIENDS, FUNNEL, OF_MEMBER, REVIEW

PROGRAMS = "{ programs { id slug version } }"
ARCHIVE = """mutation($input: ArchiveProgramInput!) { archiveProgram(input: $input) {
  userErrors { code } } }"""


async def test_members_see_how_far_their_referrals_are_and_nothing_of_their_friends(
    circle: Any,
) -> None:
    story = await circle()
    await story.enrolls("ada")
    await story.brings("ada", "bob-canary")
    await story.brings("ada", "carl-canary")
    await story.buys("bob-canary", "30.00")

    ada = story.brand.member("ada")
    data = await ada.run(OF_MEMBER, by={"externalId": "ada"})
    assert [one["state"] for one in data["member"]["referrals"]] == ["OPEN", "PENDING"]
    assert "canary" not in str(data)
    assert (await ada.run(OF_MEMBER, by={"externalId": "bob-canary"}))["member"] is None
    bob = await story.brand.member("bob-canary").run(OF_MEMBER, by={"externalId": "bob-canary"})
    assert [one["state"] for one in bob["member"]["referredBy"]] == ["PENDING"]
    assert "ada" not in str(bob)


async def test_only_admins_look_at_all_referrals_and_decide(circle: Any) -> None:
    story = await circle()
    await story.enrolls("ada", address="1 Main Street")
    await story.brings("ada", "bob", address="1 Main Street")
    case = await story.case("bob")
    review = {"referral": case["id"], "release": True, "reason": "mine", "idempotencyKey": "k" * 8}
    period = {"since": "2025-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"}
    for client in (story.brand.service, story.brand.member("ada")):
        assert (await client.refused(CASES, program="friends"))[0][0] == "FORBIDDEN"
        assert (await client.refused(REVIEW, input=review))[0][0] == "FORBIDDEN"
        assert (await client.refused(FUNNEL, program="friends", **period))[0][0] == "FORBIDDEN"


async def test_a_member_claims_and_shares_for_nobody_else(circle: Any) -> None:
    story = await circle()
    ada = await story.enrolls("ada")
    await story.enrolls("bob")
    eve = story.brand.member("ada")
    claim, share = await story.claims("bob", ada, by=eve), await story.shares("bob", by=eve)
    for payload in (claim, share):
        assert [one["code"] for one in payload["userErrors"]] == ["MEMBER_NOT_FOUND"]


async def test_a_decision_needs_a_reason_and_something_to_decide(circle: Any) -> None:
    story, other = await circle(), await circle()
    await story.enrolls("ada", address="1 Main Street")
    await story.brings("ada", "bob", address="1 Main Street")
    await story.brings("ada", "carl")
    assert [e["field"] for e in (await story.reviews("bob", True, " "))["userErrors"]] == ["reason"]
    clear = await story.reviews("carl", release=True)
    assert [e["code"] for e in clear["userErrors"]] == ["ALREADY_DECIDED"]
    given = {"referral": (await story.case("bob"))["id"], "release": True, "reason": "so",
             "idempotencyKey": "not-mine"}  # fmt: skip
    theirs = (await other.brand.admin.run(REVIEW, input=given))["reviewReferral"]
    assert [e["code"] for e in theirs["userErrors"]] == ["NOT_FOUND"]


async def test_a_page_of_referrals_by_verdict(circle: Any) -> None:
    story = await circle()
    await story.enrolls("ada", address="1 Main Street")
    for friend in "bcdef":
        more = {"address": "1 Main Street"} if friend in "bdf" else {}
        await story.brings("ada", friend, **more)
    held = await story.cases(verdict="REVIEW")
    assert [one["friend"]["externalId"] for one in held] == ["f", "d", "b"]

    seen, after = [], None
    while True:
        data = await story.brand.admin.run(CASES, program="friends", first=2, after=after)
        page = data["referrals"]
        seen += [edge["node"]["friend"]["externalId"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["edges"][-1]["cursor"]
    assert seen == list("fedcb")


async def test_the_funnel_from_shared_to_paid(circle: Any) -> None:
    story = await circle()
    await story.enrolls("ada", address="1 Main Street", device="d-1")
    for _ in range(3):
        await story.shares("ada")
    await story.brings("ada", "never")
    await story.brings("ada", "pays")
    await story.brings("ada", "back")
    await story.brings("ada", "held", address="1 Main Street")
    await story.brings("ada", "blocked", device="d-1")
    for friend in ("pays", "back", "held", "blocked"):
        order = await story.buys(friend, "30.00")
        if friend == "back":
            await story.brings_back(order)
    assert await story.funnel() == {
        "shared": 1, "enrolled": 5, "qualified": 1, "paid": 0, "inReview": 1, "blocked": 1,
    }  # fmt: skip
    await story.passes(days=14)
    await story.reviews("held", release=False)
    assert await story.funnel() == {
        "shared": 1, "enrolled": 5, "qualified": 1, "paid": 1, "inReview": 0, "blocked": 2,
    }  # fmt: skip


async def test_what_stood_stays_when_friend_and_referrer_are_erased(
    circle: Any, dsn: Addresses
) -> None:
    """The figures, the books, and what a return takes back of either."""
    story = await circle()
    await story.enrolls("ada", address="1 Main Street")
    orders = []
    for friend, address in (("bob", "1"), ("carl", "1"), ("dora", "2")):
        await story.brings("ada", friend, address=f"{address} Main Street")
        orders.append(await story.buys(friend, "30.00"))
    await story.reviews("bob", release=True, reason="Twins")
    await story.reviews("carl", release=False, reason="One household")
    before = await story.funnel()
    assert (before["enrolled"], before["qualified"], before["blocked"]) == (3, 2, 1)

    await ran(story.brand.admin, ERASE, who={"externalId": "bob"})
    assert await story.funnel() == before
    await story.brings_back(orders[0])
    assert await story.has("ada") == ("0", "500", "0")
    assert await story.funnel() == before | {"qualified": 1}

    await ran(story.brand.admin, ERASE, who={"externalId": "ada"})
    await story.brings_back(orders[2])
    assert (await story.has("dora"))[1] == "0"
    assert await story.funnel() == before | {"qualified": 0}
    assert await audit(dsn.audit, [story.brand.tenant_id], installed()) == []


async def test_what_an_archived_program_began_comes_to_its_end(circle: Any) -> None:
    """What was held is decided, also of a friend who left, and what comes back is taken back."""
    ladder = [{"id": "two", "label": "Two", "friends": 2, "unit": "points", "amount": "100"}]
    story = await circle(rewards=FRIENDS["rewards"] | {"ladder": ladder})
    await story.enrolls("ada", address="1 Main Street")
    orders = []
    for friend, address in (("bob", "2"), ("carl", "1"), ("dora", "3")):
        await story.brings("ada", friend, address=f"{address} Main Street")
        orders.append(await story.buys(friend, "30.00"))
    await story.closes("carl")
    await story.passes(hours=1)
    programs = (await story.brand.admin.run(PROGRAMS))["programs"]
    (mine,) = [one for one in programs if one["slug"] == "friends"]
    given = {"id": mine["id"], "expectedVersion": mine["version"]}
    await ran(story.brand.admin, ARCHIVE, input=given)
    assert await story.has("ada") == ("0", "1100", "0")

    assert (await story.reviews("carl", release=True))["userErrors"] == []
    assert (await story.has("ada"), await story.has("carl")) == (
        ("0", "1600", "0"),
        ("0", "0", "0"),
    )
    await story.brings_back(orders[0])
    assert (await story.has("ada"))[1] == "1100"
    await story.brings_back(orders[2])
    assert (await story.has("ada"))[1] == "500"
    assert (await story.funnel())["qualified"] == 1
    assert [one["state"] for one in (await story.of("ada"))["referrals"]] == [
        "OPEN", "PENDING", "OPEN",
    ]  # fmt: skip
