"""The template airline-miles: a track of the member's choice, miles that count, partners' miles."""

from typing import Any

import pytest

from tests.graphql.documents import CHOOSE

TRACKS = {
    "distance": "By the miles you flew",
    "price": "By the fare you paid",
    "segments": "By the segments you flew",
}
DOUBLE, GROCER = "Double miles", "From our partner grocer"


async def picks(story: Any, track: str) -> Any:
    given = {
        "member": {"externalId": "ada"}, "program": "points", "choice": "track",
        "options": [track], "idempotencyKey": story.brand.key(),
    }  # fmt: skip
    return (await story.brand.member("ada").run(CHOOSE, input=given))["choose"]


@pytest.mark.parametrize(
    ("track", "miles"), [("distance", "800"), ("price", "1300"), ("segments", "500")]
)
async def test_each_track_gives_by_what_it_says(starts: Any, track: str, miles: str) -> None:
    """AS-5 without the bonus of a status: 800 miles, $260 of fare, 1 segment."""
    story = await starts("airline-miles", "2026-01-14T12:00")
    assert (await picks(story, track))["userErrors"] == []

    flight = await story.does("flight", miles=800, fare=260.0, segments=1)

    assert story.given(flight) == {TRACKS[track]: miles}
    assert story.given(flight, "elite_miles") == {TRACKS[track]: miles}


async def test_double_miles_are_counted_on_the_miles_that_were_flown(starts: Any) -> None:
    """AS-1 without the bonus of a status: 500 and 500 more, of which 500 count."""
    story = await starts("airline-miles", "2026-02-04T12:00")

    flight = await story.does("flight", miles=500, fare=120.0, segments=1)

    assert story.given(flight) == {TRACKS["distance"]: "500", DOUBLE: "500"}
    assert story.given(flight, "elite_miles") == {TRACKS["distance"]: "500"}


async def test_a_track_is_changed_once_a_year_and_earlier_flights_keep_theirs(starts: Any) -> None:
    """AS-6: changed on 2026-03-01; again on 2026-08-01 refused, next allowed 2027-01-01."""
    story = await starts("airline-miles", "2026-01-14T12:00")
    await picks(story, "distance")
    flown = {"miles": 800, "fare": 260.0, "segments": 1}
    before = await story.does("flight", **flown)
    await story.comes("2026-03-01T12:00")
    changed = await picks(story, "price")
    await story.comes("2026-03-02T12:00")
    after = await story.does("flight", **flown)
    await story.comes("2026-08-01T12:00")
    again = await picks(story, "segments")

    assert changed["userErrors"] == []
    assert story.given(before) == {TRACKS["distance"]: "800"}
    assert story.given(after) == {TRACKS["price"]: "1300"}
    [error] = again["userErrors"]
    assert (error["code"], error["details"]["nextAllowedAt"][:10]) == (
        "LIMIT_REACHED",
        "2027-01-01",
    )
    await story.comes("2027-01-01T00:00")
    assert (await picks(story, "segments"))["userErrors"] == []


async def test_a_partners_miles_count_for_no_status(starts: Any) -> None:
    """AS-8: 1 mile for $3, $31.50: 10 to spend, none that count."""
    story = await starts("airline-miles", "2026-01-14T12:00")

    bought = await story.buys("31.50", source="grocer")
    elsewhere = await story.buys("31.50")

    assert (story.given(bought), story.given(bought, "elite_miles")) == ({GROCER: "10"}, {})
    assert elsewhere["earned"] == []


async def test_a_flight_must_say_what_every_track_needs(starts: Any) -> None:
    story = await starts("airline-miles", "2026-01-14T12:00")
    with pytest.raises(AssertionError, match="fare"):
        await story.does("flight", miles=500, segments=1)


async def test_miles_live_on_with_what_members_do(starts: Any) -> None:
    story = await starts("airline-miles", "2026-01-14T12:00")
    await story.does("flight", miles=800, fare=260.0, segments=1)
    assert await story.lots() == [("2028-02-01", "800")]
    await story.comes("2027-06-10T12:00")
    await story.redeems("100", capture=True)
    assert await story.lots() == [("2029-07-01", "700")]

    await story.comes("2028-01-01T00:00")
    assert await story.available("elite_miles") == "0"
    await story.comes("2029-07-01T00:00")
    assert await story.available() == "0"
