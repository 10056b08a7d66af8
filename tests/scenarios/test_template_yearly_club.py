"""The template yearly-club: a trial, a fee by the year, double points, free shipping."""

from typing import Any

import pytest

from tests.scenarios.subscribing import Subscriber


@pytest.fixture
async def ada(subscriber: Any) -> Subscriber:
    begun: Subscriber = await subscriber("yearly-club", "2026-01-31T12:00")
    return begun


async def test_a_trial_has_the_benefits_and_then_waits_for_its_fee(ada: Subscriber) -> None:
    [one] = await ada.subscribes("year")
    assert (one["status"], one["until"]) == ("TRIALING", "2026-03-02T17:00:00Z")
    assert ada.teller.given(await ada.teller.buys("12.00")) == {
        "Points": "12",
        "Club doubles": "12",
    }

    await ada.comes("2026-03-02T12:00")
    [one] = await ada.has()
    assert (one["status"], one["nextPrice"]) == (
        "PAST_DUE", [{"currency": "USD", "unit": None, "amount": "99.00"}],
    )  # fmt: skip
    [one] = await ada.pays("year", "99.00", invoice="shop-1")

    assert (one["status"], one["until"]) == ("ACTIVE", "2027-03-02T17:00:00Z")
    assert await ada.teller.available() == "524"


async def test_unpaid_it_ends_after_its_grace(ada: Subscriber) -> None:
    await ada.subscribes("year")

    await ada.comes("2026-03-16T11:59")
    assert ada.teller.given(await ada.teller.buys("1.00")) == {"Points": "1", "Club doubles": "1"}
    await ada.comes("2026-03-16T12:00")

    [one] = await ada.has()
    assert (one["status"], one["perks"]) == ("EXPIRED", [])
    assert ada.teller.given(await ada.teller.buys("1.00")) == {"Points": "1"}


async def test_a_preview_shows_the_boost_and_says_why_there_is_none(ada: Subscriber) -> None:
    shown, why = await ada.previews("20.00")
    assert shown == {"Points": "20"}
    assert [
        (one["rule"], one["fired"], one["reason"]) for one in why if one["program"] == "club"
    ] == [("double", False, "NOT_SUBSCRIBED")]
    await ada.pays("month", "9.90", invoice="shop-1")

    shown, why = await ada.previews("20.00")

    assert shown == {"Points": "20", "Club doubles": "20"}
    assert [one["fired"] for one in why if one["program"] == "club"] == [True]


async def test_a_return_takes_the_boost_with_it(ada: Subscriber) -> None:
    await ada.pays("month", "9.90", invoice="shop-1")
    bought = await ada.teller.buys("40.00", lines=[{"id": "1", "amount": "40.00"}])
    assert await ada.teller.available() == "80"

    await ada.teller.brings_back(bought, {"id": "1", "amount": "10.00"})

    assert await ada.teller.available() == "60"


async def test_three_months_of_a_year_are_used(ada: Subscriber) -> None:
    """99.00 a year, ended after three months: 24.75 were used, 74.25 go back."""
    await ada.pays("year", "99.00", invoice="shop-1")
    await ada.comes("2026-04-30T12:00")

    [one] = await ada.ends_at_once("moving")

    assert one["payments"][0]["refunded"]["amount"] == "74.25"


async def test_members_see_and_cancel_their_own(ada: Subscriber) -> None:
    await ada.pays("month", "9.90", invoice="shop-1")

    [one] = await ada.cancels_themselves()

    assert one["status"] == "CANCELLED_AT_PERIOD_END"
    assert one["benefitsUntil"] == "2026-02-28T17:00:00Z"
    [one] = await ada.resumes_themselves()
    assert one["status"] == "ACTIVE"
    assert await ada.refused_at_once() == [("BAD_USER_INPUT", "atOnce")]


async def test_what_is_told_twice_is_a_replay_and_otherwise_a_mismatch(ada: Subscriber) -> None:
    first = await ada.tells("month", "9.90", invoice="shop-1")
    again = await ada.tells("month", "9.90", invoice="shop-1")
    other = await ada.tells("month", "19.90", invoice="shop-1")

    assert (first["replayed"], again["replayed"]) == (False, True)
    assert [one["code"] for one in other["userErrors"]] == ["IDEMPOTENCY_MISMATCH"]
    [one] = await ada.has()
    assert one["until"] == "2026-02-28T17:00:00Z"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"plan": "none"}, "NOT_FOUND", "plan"),
        ({"currency": "XXY"}, "BAD_USER_INPUT", "currency"),
        ({"amount": "9.905"}, "BAD_AMOUNT", "amount"),
        ({"amount": "-1"}, "BAD_AMOUNT", "amount"),
        ({"program": "nobody"}, "PROGRAM_NOT_ACTIVE", "program"),
        ({"member": {"externalId": "ghost"}}, "MEMBER_NOT_FOUND", "member"),
        ({"occurredAt": "2026-03-01T00:00:00Z"}, "TOO_EARLY", "occurredAt"),
        ({"occurredAt": "2020-03-01T00:00:00Z"}, "TOO_LATE", "occurredAt"),
        ({"endsAt": "2026-01-01T00:00:00Z"}, "BAD_USER_INPUT", "endsAt"),
        ({"endsAt": "2226-01-01T00:00:00Z"}, "BAD_USER_INPUT", "endsAt"),
        ({"attempt": 0}, "BAD_USER_INPUT", "attempt"),
        ({"invoice": ""}, "BAD_USER_INPUT", "invoice"),
    ],
)
async def test_a_bad_payment_is_refused_with_its_field(
    ada: Subscriber, change: Any, code: str, field: str
) -> None:
    payment = {"plan": "month", "amount": "9.90", "invoice": "shop-1", **change}
    payload = await ada.tells(**payment)

    assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [(code, field)]
    assert await ada.has() == []


async def test_staff_comp_and_refund_with_a_reason_in_the_trail(ada: Subscriber) -> None:
    [one] = await ada.comps("year", until="2026-06-01T00:00:00Z", reason="sorry")
    assert (one["provider"], one["status"], one["leads"]) == ("COMP", "ACTIVE", True)
    await ada.pays("month", "9.90", invoice="shop-1")
    subscriptions = await ada.gives_back("4.00", "late parcel")

    paid = next(one for one in subscriptions if one["provider"] == "EXTERNAL")
    assert paid["payments"][0]["refunded"]["amount"] == "4.00"
    assert paid["leads"] is False  # the year that was given is the better plan
    trail = await ada.trail()
    assert [(one["action"], one["details"]["reason"]) for one in trail[:2]] == [
        ("subscription.refund", "late parcel"), ("subscription.comp", "sorry"),
    ]  # fmt: skip
