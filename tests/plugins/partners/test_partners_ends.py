"""Undone after lots have ended, and caps at the tenant's midnight."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.plugins.partners.conftest import TERMS

LONG = {**TERMS, "reversalHours": 24 * 60}


@pytest.mark.parametrize("grace", [None, 30])
async def test_lots_that_ended_meanwhile(make_alliance: Any, grace: int | None) -> None:
    """Past their term they are gone, or live for the grace of the program; others are as before."""
    incoming = {"grace_days": grace} if grace else {}
    alliance = await make_alliance(LONG, config={"units": {"points": incoming}})
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 100, expiresAt="2026-01-11T00:00:00Z")
    await air.give("ann", 200, expiresAt="2026-06-01T00:00:00Z")
    done = await alliance.exchange(air, "ann", "300")
    air.brand.clock.at = datetime(2026, 1, 21, tzinfo=UTC)

    await air.done("reverseExchange", air.brand.service, exchange=done["exchange"]["id"])

    lived = [("2026-02-20T00:00:00Z", "100")] if grace else []
    assert await air.expiries("ann") == [*lived, ("2026-06-01T00:00:00Z", "200")]
    assert await hotel.balance("bob") == 0


@pytest.mark.parametrize("swept", [False, True])
async def test_what_was_credited_and_ended_is_there_no_more(
    make_alliance: Any, work: Any, swept: bool
) -> None:
    """The hotel's points lived a month. They were not spent, so the exchange is undone, whether or
    not a worker booked their end."""
    alliance = await make_alliance(
        LONG, config={"units": {"points": {"lifetime": {"span": "P1M"}}}}
    )
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 300)
    done = await alliance.exchange(air, "ann", "300")
    air.brand.clock.advance(timedelta(days=32))
    if swept:
        await work(hotel.brand)
    await air.done("reverseExchange", air.brand.service, exchange=done["exchange"]["id"])
    assert (await air.balance("ann"), await hotel.balance("bob")) == (300, 0)


@pytest.mark.parametrize("cap", ["perMemberPerDay", "perDay"])
async def test_a_cap_is_of_the_givers_day(make_alliance: Any, cap: str) -> None:
    """Midnight in New York, on the day of 23 hours: what is undone makes no room."""
    give = {"burn": "1", "credit": "1", "price": "0", cap: "100"}
    alliance = await make_alliance({"currency": "USD", "give": give})
    air = alliance.air
    await air.give("ann", 1_000)
    codes = []
    for at in (
        "2026-03-08T04:59:59",
        "2026-03-08T05:00:00",
        "2026-03-09T03:59:59",
        "2026-03-09T04:00:00",
    ):
        air.brand.clock.at = datetime.fromisoformat(at).replace(tzinfo=UTC)
        quote = await alliance.quote(air, "ann", "100")
        told = await air.asked("exchangePoints", air.brand.service, quote=quote["id"])
        codes.append([error["code"] for error in told["userErrors"]])
        if told["exchange"] and at.startswith("2026-03-08T05"):
            given = {"exchange": told["exchange"]["id"]}
            await air.done("reverseExchange", air.brand.service, **given)
    assert codes == [[], [], ["LIMIT_REACHED"], []]
