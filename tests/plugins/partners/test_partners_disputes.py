"""A line that is disputed and taken back: its money comes back once, in whichever order."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from loyalty_app.logins import Addresses
from loyalty_partners.graphql import disputing
from tests.plugins.partners.conftest import TERMS, Alliance, Shop
from tests.plugins.partners.test_partners_coalition import coalition, owed, till
from tests.plugins.partners.test_partners_issuing import make_stall
from tests.plugins.partners.test_partners_settlement import JANUARY, lines, money, stated

__all__ = ["coalition", "make_stall"]

WAITS = "select exists (select from pg_locks where not granted)"
LONG = {**TERMS, "reversalHours": 24 * 60}


MOVED = ("EXCHANGE", "ISSUE", "EARN", "BURN")


async def moved(shop: Shop, agreement: str) -> list[str]:
    """The lines that stand for what moved, oldest first."""
    return [one["id"] for one in await lines(shop, agreement) if one["kind"] in MOVED]


async def dispute(alliance: Alliance, by: Shop) -> dict[str, Any]:
    """The newest of them is disputed."""
    line = (await moved(by, alliance.agreement))[-1]
    done = await by.done(
        "disputePartnerLine", agreement=alliance.agreement, line=line, reason="not ours"
    )
    return {"agreement": alliance.agreement, "dispute": done["dispute"]}


async def settled(alliance: Alliance) -> None:
    """Nobody owes anything."""
    for shop in (alliance.air, alliance.hotel):
        assert await owed(shop) == ["0.00"]


async def test_accepted_and_then_undone(make_alliance: Any) -> None:
    alliance = await make_alliance(LONG)
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 300)
    done = await alliance.exchange(air, "ann", "300")
    raised = await dispute(alliance, air)
    await hotel.done("decidePartnerDispute", **raised, accept=True)
    await settled(alliance)

    await air.done("reverseExchange", air.brand.service, exchange=done["exchange"]["id"])

    await settled(alliance)
    assert (await air.balance("ann"), await hotel.balance("bob")) == (300, 0)


@pytest.mark.parametrize("accept", [True, False])
async def test_undone_while_it_is_disputed(make_alliance: Any, accept: bool) -> None:
    """Both are out of the month as long as it is open."""
    alliance = await make_alliance(LONG)
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 300)
    done = await alliance.exchange(air, "ann", "300")
    raised = await dispute(alliance, air)
    await air.done("reverseExchange", air.brand.service, exchange=done["exchange"]["id"])
    assert money(await stated(air, alliance.agreement))[-2:] == ["0.00", "0.00"]
    (back,) = [
        one["id"] for one in await lines(air, alliance.agreement) if one["kind"] == "REVERSAL"
    ]
    given = {"agreement": alliance.agreement, "line": back, "reason": "nor that"}
    assert await hotel.refused("disputePartnerLine", **given) == "STATEMENT_STATE"

    by = hotel if accept else air
    await by.done("decidePartnerDispute", **raised, accept=accept)

    await settled(alliance)


async def test_undone_in_the_moment_in_which_it_is_accepted(
    make_alliance: Any, dsn: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reversal begins while the correction is written and not there for others to see."""
    alliance = await make_alliance(LONG)
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 300)
    done = await alliance.exchange(air, "ann", "300")
    raised = await dispute(alliance, air)
    corrected, begun = disputing._refresh, []
    looking = await asyncpg.connect(dsn.admin)

    async def meanwhile(*args: Any) -> None:
        await corrected(*args)
        given = {"exchange": done["exchange"]["id"]}
        undoing = air.done("reverseExchange", air.brand.service, **given)
        begun.append(asyncio.create_task(undoing))
        while not await looking.fetchval(WAITS):
            await asyncio.sleep(0.02)

    monkeypatch.setattr(disputing, "_refresh", meanwhile)
    try:
        await hotel.done("decidePartnerDispute", **raised, accept=True)
        await asyncio.gather(*begun)
    finally:
        await looking.close()

    await settled(alliance)
    assert await air.balance("ann") == 300


@pytest.mark.parametrize("field", ["earnAtPartnerTill", "spendAtPartnerTill"])
async def test_what_a_till_did(coalition: Alliance, field: str) -> None:
    air, hotel = coalition.air, coalition.hotel
    await air.give("ann", 100)
    done = await hotel.done(field, hotel.brand.service, **till(coalition, "s-1", "100"))
    raised = await dispute(coalition, hotel)
    await air.done("decidePartnerDispute", **raised, accept=True)
    await hotel.done("reverseExchange", hotel.brand.service, exchange=done["exchange"]["id"])
    await settled(coalition)
    assert await air.balance("ann") == 100


async def test_a_part_came_back_before_and_the_rest_after(make_stall: Any) -> None:
    stall = await make_stall()
    shop = stall.shop
    await shop.brand.enroll("ann")
    fact = stall.fact("ann", "31.50")
    await shop.done("recordPartnerFact", stall.key, **fact)
    back = {"agreement": stall.agreement, "externalId": fact["externalId"]}
    await shop.done("reversePartnerFact", stall.key, **back, reversalId="r-1", amount="10.50")
    (line,) = await moved(shop, stall.agreement)
    given = {"agreement": stall.agreement, "line": line, "reason": "not sold"}
    raised = await shop.done("disputePartnerLine", stall.key, **given)
    assert money(await stated(shop, stall.agreement))[-2:] == ["-0.08", "0.00"]

    which = {"agreement": stall.agreement, "dispute": raised["dispute"]}
    await shop.done("decidePartnerDispute", **which, accept=True)
    assert await owed(shop) == ["0.00"]
    await shop.done("reversePartnerFact", stall.key, **back, reversalId="r-2")

    assert await owed(shop) == ["0.00"]
    assert await shop.balance("ann") == 0


async def test_a_line_that_was_paid_is_disputed(make_alliance: Any) -> None:
    """It was netted with others; accepted, the next month gives its money back and no more."""
    alliance = await make_alliance(LONG)
    air, hotel, agreement = alliance.air, alliance.hotel, alliance.agreement
    await air.give("ann", 600)
    for _ in range(2):
        await alliance.exchange(air, "ann", "300")
    air.brand.clock.at = datetime(2026, 2, 2, tzinfo=UTC)
    proposed = await air.done("proposeStatement", agreement=agreement, period=JANUARY)
    which = {"statement": proposed["statement"]["id"]}
    await hotel.done("agreeStatement", **which)
    await hotel.done("settleStatement", **which, paymentRef="IBAN 1")

    raised = await dispute(alliance, air)
    assert (await stated(air, agreement, JANUARY))["state"] == "SETTLED"
    await hotel.done("decidePartnerDispute", **raised, accept=True)

    assert (await owed(air), await owed(hotel)) == (["0.80"], ["-0.80"])
    assert money(await stated(air, agreement, "2026-02")) == [
        "-1.60", "0.80", "0.00", "1.60", "0.00", "0.80",
    ]  # fmt: skip
