"""The template rei-membership: a fee once for life, and what it opens elsewhere."""

from typing import Any

import pytest

from tests.scenarios.subscribing import Subscriber


@pytest.fixture
async def rei(subscriber: Any) -> Subscriber:
    begun: Subscriber = await subscriber("rei-membership", "2026-03-01T12:00", dividend=True)
    return begun


async def test_one_fee_is_for_life(rei: Subscriber) -> None:
    [one] = await rei.pays("member", "30.00", invoice="till-1")

    assert (one["status"], one["until"], one["benefitsUntil"]) == ("ACTIVE", None, None)
    assert [perk["id"] for perk in one["perks"]] == ["free-shipping", "garage-sale"]
    assert await rei.teller.available("bonus_card") == "30.00"
    await rei.comes("2046-03-01T12:00")
    [later] = await rei.has()
    assert (later["status"], later["leads"]) == ("ACTIVE", True)
    assert await rei.teller.available("bonus_card") == "0.00"  # the welcome had its 60 days


async def test_what_is_for_members_alone(rei: Subscriber) -> None:
    """The dividend's base counts for members only, by a condition on this program's trait."""
    before = await rei.teller.buys("100.00")
    await rei.pays("member", "30.00", invoice="till-1")

    after = await rei.teller.buys("100.00")

    assert rei.teller.given(before, "points") == {}
    assert rei.teller.given(after, "points") == {"For members": "100"}
    why = await rei.why(before)
    told = [(one["fired"], one["part"]) for one in why]
    assert told == [(False, '"club.active" in member.traits')]


@pytest.mark.parametrize(
    ("at", "back"), [("2026-03-31T11:59", ["30.00"]), ("2026-03-31T12:00", [])]
)
async def test_within_thirty_days_all_of_it_goes_back(
    rei: Subscriber, at: str, back: list[str]
) -> None:
    await rei.pays("member", "30.00", invoice="till-1")
    await rei.comes(at)

    [one] = await rei.ends_at_once("changed my mind")

    assert one["status"] == "EXPIRED"
    refunded = [one["refunded"]["amount"] for one in one["payments"]]
    assert [amount for amount in refunded if amount != "0.00"] == back


async def test_a_second_fee_changes_nothing_for_life(rei: Subscriber) -> None:
    await rei.pays("member", "30.00", invoice="till-1")
    [one] = await rei.pays("member", "30.00", invoice="till-2")

    assert (one["status"], one["until"], len(one["payments"])) == ("ACTIVE", None, 2)
    assert await rei.teller.available("bonus_card") == "30.00"
