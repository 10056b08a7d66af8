"""What is sent twice, at once or long afterwards, is answered as before; both halves are at one
instant. The clock moves on with each look at it, as clocks do."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from loyalty.clock import SetClock
from loyalty_graphql.ids import node_id, read_node_id
from tests.plugins.partners import documents
from tests.plugins.partners.conftest import TERMS, Alliance
from tests.plugins.partners.test_partners_coalition import coalition, till
from tests.plugins.partners.test_partners_issuing import make_stall
from tests.plugins.partners.test_partners_settlement import lines

__all__ = ["coalition", "make_stall"]


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    def now(clock: SetClock) -> Any:
        clock.advance(timedelta(milliseconds=1))
        return clock.at

    monkeypatch.setattr(SetClock, "now", now)


async def at_once(doing: Any) -> list[Any]:
    """The same four times; nothing is refused, and one of them was the first."""
    told = await asyncio.gather(*(doing() for _ in range(4)))
    assert [payload["userErrors"] for payload in told] == [[]] * 4
    assert sorted(payload["replayed"] for payload in told) == [False, True, True, True]
    return told


@pytest.mark.usefixtures("ticking")
@pytest.mark.parametrize("field", ["earnAtPartnerTill", "spendAtPartnerTill"])
async def test_a_till_that_sends_twice_at_once(coalition: Alliance, field: str) -> None:
    hotel = coalition.hotel
    await coalition.air.give("ann", 100)
    sale = till(coalition, "s-1", "50")
    await at_once(lambda: hotel.asked(field, hotel.brand.service, **sale))
    left = 150 if field == "earnAtPartnerTill" else 50
    assert await coalition.air.balance("ann") == left
    other = {**sale, "points": "51"}
    assert await hotel.refused(field, hotel.brand.service, **other) == "IDEMPOTENCY_MISMATCH"


@pytest.mark.usefixtures("ticking")
async def test_an_exchange_and_its_reversal_sent_at_once(alliance: Alliance) -> None:
    air = alliance.air
    await air.give("ann", 300)
    quote = await alliance.quote(air, "ann", "300")
    told = await at_once(lambda: air.asked("exchangePoints", air.brand.service, quote=quote["id"]))
    given = {"exchange": told[0]["exchange"]["id"]}

    told = await asyncio.gather(
        *(air.asked("reverseExchange", air.brand.service, **given) for _ in range(4))
    )

    assert [payload["userErrors"] for payload in told] == [[]] * 4
    assert await air.balance("ann") == 300
    halves = [await lines(shop, alliance.agreement) for shop in (air, alliance.hotel)]
    assert [one["at"] for one in halves[0]] == [one["at"] for one in halves[1]]


@pytest.mark.usefixtures("ticking")
async def test_a_pack_bought_twice_at_once(make_stall: Any) -> None:
    stall = await make_stall(prepaid=True)
    pack = {"agreement": stall.agreement, "points": "10", "idempotencyKey": "pack-0001"}
    await at_once(lambda: stall.shop.asked("buyPointPack", stall.key, **pack))
    assert (await stall.own())["pointsLeft"] == "10"
    await stall.shop.done("endPartnership", agreement=stall.agreement)
    again = await stall.shop.done("buyPointPack", stall.key, **pack)
    assert again["replayed"] is True
    other = {**pack, "points": "11"}
    code = await stall.shop.refused("buyPointPack", stall.key, **other)
    assert code == "IDEMPOTENCY_MISMATCH"


@pytest.mark.parametrize("how", ["suspended", "unlinked"])
async def test_a_till_is_answered_as_before_whatever_became_of_it(
    coalition: Alliance, how: str
) -> None:
    hotel, sale = coalition.hotel, till(coalition, "s-1", "50")
    first = await hotel.done("earnAtPartnerTill", hotel.brand.service, **sale)
    if how == "suspended":
        await coalition.air.done("suspendPartnership", agreement=coalition.agreement)
    else:
        data = await hotel.brand.admin.run(
            """{ member(by: {externalId: "bob"}) { partnerLinks { id } } }"""
        )
        (made,) = data["member"]["partnerLinks"]
        await hotel.done("endPartnerLink", hotel.brand.service, link=made["id"])
    again = await hotel.done("earnAtPartnerTill", hotel.brand.service, **sale)
    assert again == {**first, "replayed": True}


async def test_a_brands_fact_is_known_after_years(make_stall: Any) -> None:
    stall = await make_stall()
    await stall.shop.brand.enroll("ann")
    fact = stall.fact("ann", "30.00")
    first = await stall.shop.done("recordPartnerFact", stall.key, **fact)
    stall.shop.brand.clock.advance(timedelta(days=500))
    again = await stall.shop.done("recordPartnerFact", stall.key, **fact)
    assert again == {**first, "replayed": True}
    new = {**fact, "externalId": "f-late"}
    assert await stall.shop.refused("recordPartnerFact", stall.key, **new) == "TOO_LATE"


async def test_only_an_exchange_is_one(make_stall: Any) -> None:
    """The id of another line is not that of a quote that was taken up."""
    stall = await make_stall(prepaid=True)
    shop = stall.shop
    pack = {"agreement": stall.agreement, "points": "10", "idempotencyKey": "pack-0001"}
    key = read_node_id((await shop.done("buyPointPack", stall.key, **pack))["fact"]["id"])
    assert key is not None
    quote = str(node_id("ExchangeQuote", key[1]))
    assert await shop.refused("exchangePoints", shop.brand.service, quote=quote) == "NOT_FOUND"


async def test_never_undone_is_never_undone(make_alliance: Any) -> None:
    """Not even in the very instant."""
    alliance = await make_alliance({**TERMS, "reversalHours": 0})
    air = alliance.air
    await air.give("ann", 300)
    done = await alliance.exchange(air, "ann", "300")
    given = {"exchange": done["exchange"]["id"]}
    assert await air.refused("reverseExchange", air.brand.service, **given) == "NOT_REVERSIBLE"


@pytest.mark.usefixtures("ticking")
async def test_undone_by_both_sides_at_once_while_it_is_spent(alliance: Alliance) -> None:
    """Either it is undone and not spent, or spent and not undone; both halves say the same."""
    air, hotel = alliance.air, alliance.hotel
    for _ in range(4):
        await air.give("ann", 300)
        before = await air.balance("ann"), await hotel.balance("bob")
        done = await alliance.exchange(air, "ann", "300")
        given = {"exchange": done["exchange"]["id"]}
        back, theirs, spent = await asyncio.gather(
            air.asked("reverseExchange", air.brand.service, **given),
            hotel.asked("reverseExchange", hotel.brand.service, **given),
            hotel.brand.admin.run(
                documents.ADJUST,
                input={
                    "member": {"externalId": "bob"}, "unit": "points", "amount": "-100",
                    "reasonCode": "START", "idempotencyKey": hotel.brand.key(),
                },
            ),
        )  # fmt: skip
        codes = [[error["code"] for error in one["userErrors"]] for one in (back, theirs)]
        after = await air.balance("ann"), await hotel.balance("bob")
        if spent["adjustBalance"]["userErrors"]:
            assert (codes, after) == ([[], []], before)
        else:
            assert codes == [["NOT_REVERSIBLE"]] * 2
            assert after == (before[0] - 300, before[1])
