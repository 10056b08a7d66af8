"""What ends soon is told so many days ahead: once, by what is left, and not where nothing is."""

import asyncio
from typing import Any

from loyalty.facts import MemberClosed, MemberFrozen

TOLD = "points.expiry_announced/1"
YEAR = {"lifetime": {"span": "P12M", "ends": "month"}}
NOTICES = {"expiry": {"notices": [30, 7]}, "terms": YEAR}


async def test_members_are_told_days_ahead_and_once(club: Any) -> None:
    shop = await club("2025-07-06T12:00", **NOTICES)
    ada = await shop.world.member()
    await shop.buys(ada, "20.00")
    await shop.comes("2025-07-20T12:00")
    await shop.buys(ada, "22.00")

    await shop.comes("2026-07-01T23:59")
    assert await shop.told(TOLD) == []
    await shop.comes("2026-07-02T01:00")
    (told,) = await shop.told(TOLD)
    assert {key: told[key] for key in told if key != "occurred_at"} == {
        "program": "points", "unit": "points", "amount": "42", "day": "2026-08-01",
        "expires_at": "2026-08-01T04:00:00Z", "days_ahead": 30,
    }  # fmt: skip
    assert told["occurred_at"] == "2026-07-02T04:00:00Z"

    await shop.comes("2026-07-02T15:00")
    await shop.comes("2026-07-24T15:00")
    assert [told["days_ahead"] for told in await shop.told(TOLD)] == [30]
    await shop.comes("2026-07-25T02:00")
    await shop.comes("2026-08-03T02:00")
    assert [told["days_ahead"] for told in await shop.told(TOLD)] == [30, 7]


async def test_what_was_spent_in_between_is_not_told(club: Any) -> None:
    shop = await club("2025-07-06T12:00", **NOTICES)
    ada, eve = await shop.world.member(), await shop.world.member()
    for member in (ada, eve):
        await shop.buys(member, "20.00")
    await shop.comes("2026-07-02T01:00")
    await shop.world.redeem(ada, 20)
    await shop.world.redeem(eve, 5)

    await shop.comes("2026-07-25T01:00")

    told = [(one["days_ahead"], one["amount"]) for one in await shop.told(TOLD)]
    assert told == [(30, "20"), (30, "20"), (7, "15")]


async def test_who_is_frozen_is_told_and_who_left_is_not(club: Any) -> None:
    shop = await club("2025-07-06T12:00", **NOTICES)
    ada, eve = await shop.world.member(), await shop.world.member()
    for member in (ada, eve):
        await shop.buys(member, "20.00")
    now = shop.world.clock.now()
    await shop.world.record(MemberFrozen(member=ada, occurred_at=now, reason="Card stolen"))
    await shop.world.record(MemberClosed(member=eve, occurred_at=now))

    await shop.comes("2026-07-02T01:00")

    assert [one["amount"] for one in await shop.told(TOLD)] == ["20"]


async def test_a_late_worker_tells_once_and_never_after_the_end(club: Any) -> None:
    shop = await club("2025-07-06T12:00", **NOTICES)
    ada = await shop.world.member()
    await shop.buys(ada, "20.00")
    await shop.comes("2025-07-07T12:00")

    await shop.comes("2026-07-10T12:00")
    (told,) = await shop.told(TOLD)
    assert (told["days_ahead"], told["occurred_at"]) == (30, "2026-07-02T04:00:00Z")

    await shop.comes("2026-08-01T12:00")
    assert len(await shop.told(TOLD)) == 1


async def test_two_workers_tell_once(club: Any) -> None:
    shop = await club("2025-07-06T12:00", **NOTICES)
    members = [await shop.world.member() for _ in range(5)]
    for member in members:
        await shop.buys(member, "20.00")
    await shop.comes("2026-07-02T01:00", worked=False)

    await asyncio.gather(*(shop.works() for _ in range(2)))

    assert len(await shop.told(TOLD)) == 5


async def test_what_lives_on_is_not_told(club: Any) -> None:
    by = {"lifetime": {"span": "P12M"}}
    terms = {"lifetime": {**YEAR["lifetime"], "extended_by": by}}
    shop = await club("2025-07-06T12:00", expiry={"notices": [30]}, terms=terms)
    ada = await shop.world.member()
    await shop.buys(ada, "20.00")
    await shop.comes("2026-06-20T12:00")
    await shop.buys(ada, "1.00")

    await shop.comes("2026-07-02T12:00")

    assert await shop.told(TOLD) == []


async def test_two_programs_of_one_unit_tell_it_once(club: Any) -> None:
    shop = await club("2025-07-06T12:00", **NOTICES)
    rule = {
        "id": "more", "label": "More", "accounting_class": "MARKETING", "points": "1",
        "per": {"USD": "1.00"},
    }  # fmt: skip
    await shop.world.run_program("more", {"unit": "points", "rules": [rule], **NOTICES})
    ada = await shop.world.member()
    await shop.buys(ada, "20.00")

    await shop.comes("2026-07-02T12:00")

    assert [told["amount"] for told in await shop.told(TOLD)] == ["40"]
