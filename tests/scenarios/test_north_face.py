"""The template north-face-xplr: 100 points become 10 dollars in issuing windows, within limits."""

from typing import Any

import pytest

from tests.graphql.desk_documents import done

WINDOWS = """
query($program: String!) { issuingWindows(program: $program) {
    issuing day opensAt unit closed members amount } }
"""
WHY = """{ member(by: {externalId: "ada"}) { statement(unit: "rewards", first: 9) { edges { node {
  decisions { explanation } } } } } }"""


@pytest.fixture
def xplr(starts: Any) -> Any:
    async def begin(at: str, terms: Any = None, **limits: Any) -> Any:
        def change(config: Any) -> None:
            config["issuing"][0].update(limits)
            config.update({"terms": terms} if terms else {})

        return await starts("north-face-xplr", at, change if terms or limits else None)

    return begin


async def test_a_window_takes_full_steps_and_the_rest_is_carried(xplr: Any) -> None:
    """XP-1: 740 points => $50 issued, 500 burned, 240 carried; then $20, 40 carried."""
    story = await xplr("2026-01-10T12:00")
    await story.buys("640.00")
    given = [story.given(await story.does("app"))]
    given += [story.given(await story.does("referral")) for _ in range(4)]
    given += [story.given(await story.does("check_in")) for _ in range(2)]
    friend = {"For a friend": "25"}
    assert given == [{"For the app": "10"}, *[friend] * 3, {"For a friend": "15"}, {}, {}]
    assert await story.available() == "740", "activities come to 120, capped at 100"

    await story.comes("2026-03-15T00:00")
    assert (await story.available(), await story.available("rewards")) == ("240", "50.00")
    [deadline] = (await story.has("rewards"))["expiries"]
    assert deadline == {"at": "2027-02-15T05:00:00Z", "amount": "50.00"}

    await story.comes("2026-07-15T09:00")
    assert (await story.available(), await story.available("rewards")) == ("40", "70.00")
    await story.comes("2026-11-15T09:00")
    assert (await story.available(), await story.available("rewards")) == ("40", "70.00")

    burned = [e["amount"] for e in await story.statement() if e["kind"] == "BURN"]
    assert burned == ["-500", "-200"]
    given = [(e["rule"], e["amount"]) for e in await story.statement("rewards")]
    assert given == [("points/rewards", "50.00"), ("points/rewards", "20.00")]


async def test_admins_see_the_windows_that_come_and_what_was_issued(xplr: Any) -> None:
    story = await xplr("2026-01-10T12:00")
    await story.buys("740.00")
    await story.comes("2026-03-15T00:00")

    data = await story.brand.admin.run(WINDOWS, program="points")

    first, *coming = data["issuingWindows"]
    assert first == {
        "issuing": "rewards", "day": "2026-03-15", "opensAt": "2026-03-15T04:00:00Z",
        "unit": "rewards", "closed": True, "members": 1, "amount": "50.00",
    }  # fmt: skip
    assert [one["day"] for one in coming] == ["2026-07-15", "2026-11-15", "2027-03-15"]
    assert not any(one["closed"] for one in coming)
    assert (await story.brand.admin.run(WINDOWS, program="nobody"))["issuingWindows"] == []


async def test_no_more_than_a_years_limit_in_a_calendar_year(xplr: Any) -> None:
    story = await xplr("2026-01-10T12:00", max_per_year="80.00")
    await story.buys("2000.00")

    issued = []
    for day in ("2026-03-15", "2026-07-15", "2026-11-15", "2027-03-15"):
        await story.comes(f"{day}T01:00")
        issued.append(
            [e["amount"] for e in await story.statement("rewards") if e["kind"] == "GRANT"]
        )

    assert issued[-1] == ["50.00", "30.00", "50.00"]
    assert issued[2] == ["50.00", "30.00"]
    lines = (await story.brand.admin.run(WHY))["member"]["statement"]["edges"]
    said = [why["explanation"] for one in reversed(lines) for why in one["node"]["decisions"]]
    assert said == [
        "its most of 50.00 a window leaves 150.00 out: the points for it stay",
        "its most of 80.00 a calendar year leaves 120.00 out: the points for it stay",
        "its most of 50.00 a window leaves 70.00 out: the points for it stay",
    ]
    burns = [e["label"] for e in await story.statement() if e["kind"] == "BURN"]
    assert burns == ["XPLR reward"] * 3
    assert await story.available() == "700"


async def test_who_is_frozen_on_the_day_has_their_reward_and_cannot_spend_it(xplr: Any) -> None:
    story = await xplr("2026-01-10T12:00")
    await story.buys("250.00")
    ada = {"member": {"externalId": "ada"}}
    await done(story.brand.admin, "freezeMember", **ada, reason="Card reported stolen")

    await story.comes("2026-03-15T00:00")

    assert (await story.available(), await story.available("rewards")) == ("50", "20.00")
    spends = await story.asks_for("10.00", unit="rewards")
    assert [error["code"] for error in spends["userErrors"]] == ["MEMBER_FROZEN"]
    await done(story.brand.admin, "unfreezeMember", **ada)
    await story.redeems("20.00", unit="rewards", capture=True)


async def test_a_late_worker_judges_by_the_day(xplr: Any) -> None:
    """Nobody worked for months: each window counts what was there on its day, and rewards lived."""
    story = await xplr("2026-01-10T12:00")
    await story.buys("250.00")
    await story.comes("2026-03-20T12:00", swept=False)
    await story.buys("100.00")  # after the window of March, before that of July

    await story.comes("2026-09-01T12:00")

    entries = await story.statement("rewards")
    assert [(e["amount"], e["occurredAt"]) for e in entries] == [
        ("20.00", "2026-03-15T04:00:00Z"),
        ("10.00", "2026-07-15T04:00:00Z"),
    ]
    assert await story.available() == "50"


async def test_points_that_end_after_a_window_do_not_end_before_a_late_worker_came(
    xplr: Any,
) -> None:
    story = await xplr("2026-01-10T12:00", terms={"lifetime": {"span": "P70D"}})
    await story.buys("150.00")  # end on 21 March

    await story.comes("2026-04-01T12:00")

    assert (await story.available(), await story.available("rewards")) == ("0", "10.00")
    kinds = [(e["kind"], e["amount"]) for e in await story.statement()]
    assert kinds == [("GRANT", "150"), ("BURN", "-100"), ("EXPIRE", "-50")]


async def test_a_reward_is_spent_like_points_and_reward_points_are_not_touched(xplr: Any) -> None:
    story = await xplr("2026-01-10T12:00")
    await story.buys("340.00")
    await story.comes("2026-03-15T00:00")

    payload = await story.asks_for("12.50", capture=True, unit="rewards")

    assert payload["userErrors"] == []
    assert (await story.available(), await story.available("rewards")) == ("40", "17.50")


async def test_two_workers_at_once_issue_once(xplr: Any) -> None:
    story = await xplr("2026-01-10T12:00")
    await story.buys("740.00")

    await story.comes("2026-03-15T00:00", workers=2)
    await story.comes("2026-03-15T03:00")

    assert (await story.available(), await story.available("rewards")) == ("240", "50.00")


async def test_the_app_counts_once_for_life_and_check_ins_up_to_a_hundred(xplr: Any) -> None:
    """XP-3: the second download gives nothing; 21 check-ins in a year give 100."""
    story = await xplr("2026-01-10T12:00")
    given = [story.given(await story.does("app")) for _ in range(2)]
    assert given == [{"For the app": "10"}, {}]

    await story.comes("2027-01-01T00:00")
    before = int(await story.available())
    for _ in range(21):
        last = await story.does("check_in")

    assert (int(await story.available()) - before, last["earned"]) == (100, [])
    assert story.given(await story.does("app")) == {}


async def test_gear_that_is_recycled_gives_by_category_twice_a_month(xplr: Any) -> None:
    """XP-6: points by the category of what was brought, at most n a month."""
    story = await xplr("2026-01-10T12:00")
    brought = [
        story.given(await story.does("gear_recycled", category=category))
        for category in ("jacket", "socks", "tent")
    ]
    await story.comes("2026-02-01T00:00")
    shoes = story.given(await story.does("gear_recycled", category="shoes"))

    label = "For gear that lives on"
    assert brought == [{label: "25"}, {label: "5"}, {}]
    assert shoes == {label: "10"}
