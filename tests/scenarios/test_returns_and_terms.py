"""What returns settle of a sum where points wait, have ended, or their member has left: goods that
stay have what they would have, had the others never been bought."""

from typing import Any

import pytest

from tests.graphql.documents import CLOSE

FIRST = [{"from": "0", "points": "10"}, {"from": "3", "points": "0"}]
LEVELS = [{"from": "10", "points": "10"}, {"from": "50", "points": "500"}]
CAPPED = pytest.mark.parametrize(
    "caps", [{}, {"caps": [{"points": "1000", "period": "year"}]}], ids=["free", "capped"]
)
ACTIVATE = """mutation($input: ActivatePointsInput!) { activatePoints(input: $input) {
  userErrors { code } } }"""


def config(terms: Any, **keys: Any) -> Any:
    """Ten points for each of the first three dollars of a month, unless it says otherwise."""
    rule = {
        "id": "sum", "label": "sum", "accounting_class": "MATERIAL_RIGHT", "per": {"USD": "1.00"},
        "over": {"period": "month"},
    }  # fmt: skip
    table = {} if "levels" in keys else {"brackets": FIRST}
    return {"unit": "points", "rules": [rule | table | keys], "terms": terms}


async def held(story: Any) -> tuple[str, str, str]:
    """What can be used, what waits, what is owed."""
    balance = await story.has()
    return balance["available"], balance["pending"], balance["deficit"]


async def leaves(story: Any) -> None:
    given = {"member": {"externalId": "ada"}}
    assert (await story.brand.service.run(CLOSE, input=given))["closeMember"]["userErrors"] == []
    assert await held(story) == ("0", "0", "0")


# --- points that end ------------------------------------------------------------------------------


@CAPPED
@pytest.mark.parametrize("swept", [False, True])
async def test_what_has_ended_does_not_come_back(tell: Any, caps: Any, swept: bool) -> None:
    story = await tell("2026-01-05T10:00", config({"lifetime": {"span": "P10D"}}, **caps))
    first = await story.buys("3.00")
    await story.buys("3.00")
    assert await story.available() == "30"
    await story.comes("2026-01-25T10:00", swept=swept)
    assert await story.available() == "0"
    await story.brings_back(first)
    assert await held(story) == ("0", "0", "0")


@CAPPED
@pytest.mark.parametrize("swept", [False, True])
async def test_nobody_owes_what_has_ended(tell: Any, caps: Any, swept: bool) -> None:
    """The second purchase reached 500 and the first goes back: 480 too much, and all of it ended.
    Points of another month, which live, are not taken for it."""
    terms = {"lifetime": {"span": "P10D"}}
    story = await tell("2026-01-05T10:00", config(terms, levels=LEVELS, **caps))
    bought = [await story.buys("30.00"), await story.buys("30.00")]
    await story.comes("2026-02-05T10:00", swept=swept)
    await story.buys("12.00")
    for purchase in bought:
        await story.brings_back(purchase)
        assert await held(story) == ("10", "0", "0")


@CAPPED
async def test_what_was_spent_before_it_ended_is_owed(tell: Any, caps: Any) -> None:
    terms = {"lifetime": {"span": "P10D"}}
    story = await tell("2026-01-05T10:00", config(terms, levels=LEVELS, **caps))
    bought = [await story.buys("30.00"), await story.buys("30.00")]
    await story.redeems("300", capture=True)
    await story.comes("2026-02-05T10:00")
    await story.brings_back(bought[0])  # 10 of 500 are due: 490 go, of which 200 ended
    assert (await held(story))[2] == "290"
    await story.brings_back(bought[1])
    assert (await held(story))[2] == "300"


@CAPPED
async def test_what_comes_back_ends_when_it_would_have(tell: Any, caps: Any) -> None:
    story = await tell("2026-01-05T10:00", config({"lifetime": {"span": "P10D"}}, **caps))
    first = await story.buys("3.00")
    await story.comes("2026-01-08T10:00")
    await story.buys("3.00")
    await story.comes("2026-01-14T10:00")
    await story.brings_back(first)
    assert await story.lots() == [("2026-01-18", "30")]


@CAPPED
async def test_points_of_a_day_that_is_over_are_not_given(tell: Any, caps: Any) -> None:
    own = {"effective": {"ends": "2026-01-10"}}
    story = await tell("2026-01-05T10:00", config({"usable_through": "2026-01-15"}, **caps, **own))
    first = await story.buys("3.00")
    await story.buys("3.00")
    await story.comes("2026-01-25T10:00")
    await story.brings_back(first)
    assert await held(story) == ("0", "0", "0")


# --- points that wait -----------------------------------------------------------------------------


@CAPPED
@pytest.mark.parametrize(
    "terms",
    [{"pending_days": 14}, {"return_window_days": 14, "pending_until": "return_window"}],
    ids=["days", "window"],
)
async def test_what_waited_does_not_wait_again(tell: Any, caps: Any, terms: Any) -> None:
    story = await tell("2026-01-05T10:00", config(terms, **caps))
    first = await story.buys("3.00")
    await story.buys("3.00")
    await story.comes("2026-01-25T10:00")
    assert await held(story) == ("30", "0", "0")
    await story.brings_back(first)
    assert await held(story) == ("30", "0", "0")


@CAPPED
@pytest.mark.parametrize("activated", [True, False])
async def test_what_was_activated_stays_so(tell: Any, caps: Any, activated: bool) -> None:
    terms = {"pending_until": "activation", "lifetime": {"span": "P10D", "counted_from": "usable"}}
    story = await tell("2026-01-05T10:00", config(terms, **caps))
    first = await story.buys("3.00")
    await story.buys("3.00")
    await story.comes("2026-01-08T10:00")
    if activated:
        given = {
            "member": {"externalId": "ada"},
            "program": "points",
            "idempotencyKey": story.brand.key(),
        }
        done = (await story.brand.service.run(ACTIVATE, input=given))["activatePoints"]
        assert done["userErrors"] == []
    await story.comes("2026-01-10T10:00")
    await story.brings_back(first)
    assert await held(story) == (("30", "0", "0") if activated else ("0", "30", "0"))
    assert await story.lots() == [("2026-01-18" if activated else "", "30")]


@CAPPED
@pytest.mark.parametrize("terms", [
    {"pending_days": 14}, {"return_window_days": 20, "pending_until": "return_window"},
    {"pending_until": "activation"},
], ids=["days", "window", "activation"])  # fmt: skip
async def test_what_waits_is_taken_as_well(tell: Any, caps: Any, terms: Any) -> None:
    story = await tell("2026-01-05T10:00", config(terms, levels=LEVELS, **caps))
    first, second = await story.buys("30.00"), await story.buys("30.00")
    await story.brings_back(first)
    assert await held(story) == ("0", "10", "0")
    await story.brings_back(second)
    assert await held(story) == ("0", "0", "0")


# --- who left -------------------------------------------------------------------------------------


@CAPPED
async def test_who_left_is_given_nothing(tell: Any, caps: Any) -> None:
    story = await tell("2026-01-05T10:00", config({}, **caps))
    first = await story.buys("3.00")
    await story.buys("3.00")
    await leaves(story)
    await story.brings_back(first)
    assert await held(story) == ("0", "0", "0")


@CAPPED
async def test_who_left_owes_nothing_that_was_forfeited(tell: Any, caps: Any) -> None:
    story = await tell("2026-01-05T10:00", config({}, levels=LEVELS, **caps))
    first, second = await story.buys("30.00"), await story.buys("30.00")
    await leaves(story)
    for purchase in (first, second):
        await story.brings_back(purchase)
        assert await held(story) == ("0", "0", "0")
