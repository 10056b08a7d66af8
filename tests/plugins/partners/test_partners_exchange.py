"""Exchanges: at the agreed rate, floored, what is left stays; both halves or neither."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.plugins.partners import documents
from tests.plugins.partners.conftest import Alliance


async def test_three_to_one_keeps_the_remainder(alliance: Alliance) -> None:
    """3,100 are offered at 3 to 1: 3,099 go, 1 stays, 1,033 arrive."""
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 3_100)
    quote = await alliance.quote(air, "ann", "3100")
    parts = [quote[name] for name in ("offered", "burned", "fee", "kept", "credited")]
    assert parts == ["3100", "3099", "0", "1", "1033"]

    done = await air.done("exchangePoints", air.brand.service, quote=quote["id"])

    assert (done["replayed"], done["exchange"]["points"]) == (False, "3099")
    assert (await air.balance("ann"), await hotel.balance("bob")) == (1, 1_033)
    assert await hotel.expiries("bob") == [("2027-01-01T17:00:00Z", "1033")]


async def test_a_quote_is_taken_up_once(alliance: Alliance) -> None:
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 600)
    quote = await alliance.quote(air, "ann", "300")
    first = await air.done("exchangePoints", air.brand.service, quote=quote["id"])
    air.brand.clock.advance(timedelta(days=40))

    again = await air.done("exchangePoints", air.brand.service, quote=quote["id"])

    assert again == {**first, "replayed": True}
    assert (await air.balance("ann"), await hotel.balance("bob")) == (300, 100)


async def test_a_quote_ends(alliance: Alliance) -> None:
    air = alliance.air
    await air.give("ann", 600)
    quote = await alliance.quote(air, "ann", "300")
    air.brand.clock.advance(timedelta(minutes=15))

    code = await air.refused("exchangePoints", air.brand.service, quote=quote["id"])

    assert code == "QUOTE_EXPIRED"
    assert await air.balance("ann") == 600


async def test_more_than_there_is_is_refused_on_both_sides(alliance: Alliance, rows: Any) -> None:
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 100)
    quote = await alliance.quote(air, "ann", "300")
    before = await rows.of(hotel.brand.tenant_id)

    code = await air.refused("exchangePoints", air.brand.service, quote=quote["id"])

    assert code == "INSUFFICIENT_BALANCE"
    assert (await air.balance("ann"), await hotel.balance("bob")) == (100, 0)
    assert await rows.of(hotel.brand.tenant_id) == before


async def test_points_that_may_be_returned_are_not_exchanged(make_alliance: Any) -> None:
    alliance = await make_alliance()
    air = alliance.air
    rule = {
        "id": "base", "label": "Points", "accounting_class": "MATERIAL_RIGHT", "points": "1",
        "per": {"USD": "1.00"},
    }  # fmt: skip
    await air.brand.make_unit("unsettled")
    program = {"unit": "points", "rules": [rule], "terms": {"return_window_days": 30}}
    await air.brand.run_program("store", program)
    await air.brand.service.run(
        "mutation($i: RecordPurchaseInput!) { recordPurchase(input: $i) { userErrors { code } } }",
        i=air.brand.purchase("ann", "900.00"),
    )
    # The brand's first program gives a point per dollar that is settled, the second waits 30 days.
    assert await air.balance("ann") == 1_800
    quote = await alliance.quote(air, "ann", "1800")
    given = {"quote": quote["id"]}
    payload = await air.asked("exchangePoints", air.brand.service, **given)
    (error,) = payload["userErrors"]
    assert (error["code"], error["details"]["available"]) == ("INSUFFICIENT_BALANCE", "900")

    await alliance.exchange(air, "ann", "900")
    air.brand.clock.advance(timedelta(days=31))
    await alliance.exchange(air, "ann", "900")
    assert await air.balance("ann") == 0


async def test_fee_minimum_and_caps(make_alliance: Any) -> None:
    give = {
        "burn": "2", "credit": "1", "price": "0.0080", "charge": "0.05", "fee": "10",
        "minimum": "50", "perMemberPerDay": "200", "perDay": "300",
    }  # fmt: skip
    alliance = await make_alliance({"currency": "USD", "give": give})
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 1_000)
    few = {"agreement": alliance.agreement, "member": {"externalId": "ann"}, "amount": "49"}
    assert await air.refused("quoteExchange", air.brand.service, **few) == "BAD_AMOUNT"

    quote = await alliance.quote(air, "ann", "111")
    parts = [quote[name] for name in ("burned", "fee", "kept", "credited")]
    assert parts == ["100", "10", "1", "50"]
    await air.done("exchangePoints", air.brand.service, quote=quote["id"])
    assert (await air.balance("ann"), await hotel.balance("bob")) == (890, 50)

    over = await alliance.quote(air, "ann", "112")
    code = await air.refused("exchangePoints", air.brand.service, quote=over["id"])
    assert code == "LIMIT_REACHED"
    await alliance.exchange(air, "ann", "110")  # 100 of it count: 200 in all, exactly the cap
    await air.brand.enroll("amy")
    await hotel.brand.enroll("ben")
    await alliance.link("amy", "ben")
    await air.give("amy", 1_000)
    over = await alliance.quote(air, "amy", "112")
    code = await air.refused("exchangePoints", air.brand.service, quote=over["id"])
    assert code == "LIMIT_REACHED"
    await alliance.exchange(air, "amy", "110")

    air.brand.clock.advance(timedelta(days=1))
    await alliance.exchange(air, "ann", "210")
    assert await air.balance("ann") == 1_000 - 110 - 110 - 210


@pytest.mark.parametrize("cap", ["perMemberPerDay", "perDay"])
async def test_caps_count_what_the_same_batch_took(make_alliance: Any, cap: str) -> None:
    """Those that wait together share a transaction: each sees what the ones before it took."""
    give = {"burn": "1", "credit": "1", "price": "0.0080", cap: "300"}
    alliance = await make_alliance({"currency": "USD", "give": give})
    air = alliance.air
    await air.give("ann", 1_000)
    quotes = [(await alliance.quote(air, "ann", "100"))["id"] for _ in range(6)]

    told = await asyncio.gather(
        *(air.asked("exchangePoints", air.brand.service, quote=quote) for quote in quotes)
    )

    codes = sorted(error["code"] for payload in told for error in payload["userErrors"])
    assert codes == ["LIMIT_REACHED"] * 3
    assert await air.balance("ann") == 700


async def test_there_and_back_never_gains(alliance: Alliance) -> None:
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 1_000)
    for _ in range(8):
        held = await air.balance("ann")
        await alliance.exchange(air, "ann", str(held))
        await alliance.exchange(hotel, "bob", str(await hotel.balance("bob")))
        assert await air.balance("ann") <= held


async def test_without_a_link_there_is_no_partner(alliance: Alliance) -> None:
    air = alliance.air
    await air.brand.enroll("amy")
    await air.give("amy", 500)
    given = {"agreement": alliance.agreement, "member": {"externalId": "amy"}, "amount": "300"}
    code = await air.refused("quoteExchange", air.brand.service, **given)
    assert code == "PARTNER_NOT_AVAILABLE"


@pytest.mark.parametrize("how", ["suspended", "ended", "unlinked", "member left"])
async def test_what_is_stopped_at_the_partner_is_just_not_possible(
    alliance: Alliance, how: str
) -> None:
    """Whatever the reason is at the partner, the answer here is one and the same."""
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 500)
    quote = await alliance.quote(air, "ann", "300")
    if how == "suspended":
        await hotel.done("suspendPartnership", agreement=alliance.agreement)
    elif how == "ended":
        await hotel.done("endPartnership", agreement=alliance.agreement)
    elif how == "unlinked":
        data = await hotel.brand.admin.run(documents.LINKS, name="bob")
        (made,) = data["member"]["partnerLinks"]
        await hotel.done("endPartnerLink", hotel.brand.service, link=made["id"])
    else:
        await hotel.brand.admin.run(
            "mutation($i: CloseMemberInput!) { closeMember(input: $i) { userErrors { code } } }",
            i={"member": {"externalId": "bob"}},
        )

    payload = await air.asked("exchangePoints", air.brand.service, quote=quote["id"])

    assert payload["userErrors"][0]["code"] == "PARTNER_NOT_AVAILABLE"
    assert payload["userErrors"][0]["message"] == "not possible with this partner now"
    assert payload["userErrors"][0]["details"] is None
    assert await air.balance("ann") == 500


async def test_undone_within_the_window_the_lots_are_as_they_were(alliance: Alliance) -> None:
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 300, expiresAt="2026-03-01T00:00:00Z")
    await air.give("ann", 300, expiresAt="2026-02-01T00:00:00Z")
    before = await air.expiries("ann")
    done = await alliance.exchange(air, "ann", "450")
    exchange = done["exchange"]["id"]
    assert await air.balance("ann") == 150
    air.brand.clock.advance(timedelta(hours=24))

    back = await air.done("reverseExchange", air.brand.service, exchange=exchange)

    assert (back["replayed"], back["exchange"]["reversed"]) == (False, True)
    assert (await air.balance("ann"), await hotel.balance("bob")) == (600, 0)
    assert await air.expiries("ann") == before
    again = await air.done("reverseExchange", air.brand.service, exchange=exchange)
    assert again == {**back, "replayed": True}
    there = await hotel.brand.admin.run(documents.LINKS, name="bob")
    assert [one["reversed"] for one in there["member"]["partnerExchanges"]] == [True]


async def test_undone_by_the_receiving_side(make_alliance: Any) -> None:
    give = {"burn": "2", "credit": "1", "price": "0.0080", "fee": "10"}
    alliance = await make_alliance({"currency": "USD", "give": give})
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 300)
    done = await alliance.exchange(air, "ann", "300")
    await hotel.done(
        "reverseExchange", hotel.brand.service, exchange=done["exchange"]["id"], reason="a mistake"
    )
    assert (await air.balance("ann"), await hotel.balance("bob")) == (300, 0)


async def test_what_is_spent_or_old_is_not_undone(alliance: Alliance) -> None:
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 600)
    first = await alliance.exchange(air, "ann", "300")
    await hotel.give("bob", -50)
    undo = {"exchange": first["exchange"]["id"]}
    code = await air.refused("reverseExchange", air.brand.service, **undo)
    assert code == "NOT_REVERSIBLE"

    await hotel.give("bob", 50)
    second = await alliance.exchange(air, "ann", "300")
    air.brand.clock.advance(timedelta(hours=24, seconds=1))
    undo = {"exchange": second["exchange"]["id"]}
    code = await air.refused("reverseExchange", air.brand.service, **undo)
    assert code == "NOT_REVERSIBLE"
    assert (await air.balance("ann"), await hotel.balance("bob")) == (0, 200)


async def test_only_the_exchange_itself_undoes_its_halves(alliance: Alliance) -> None:
    """The points that left stand as a redemption; taken back alone they would be in both places."""
    air = alliance.air
    await air.give("ann", 300)
    await alliance.exchange(air, "ann", "300")
    data = await air.brand.admin.run(
        """{ member(by: {externalId: "ann"}) { redemptions { edges { node { id state } } } } }"""
    )
    (edge,) = data["member"]["redemptions"]["edges"]
    answer = await air.brand.service.run(
        """mutation($i: EndRedemptionInput!) { reverseRedemption(input: $i) {
             userErrors { code } } }""",
        i={"redemption": edge["node"]["id"], "idempotencyKey": "one-sided"},
    )
    assert answer["reverseRedemption"]["userErrors"] == [{"code": "NOT_REVERSIBLE"}]
    assert await air.balance("ann") == 0


async def test_members_exchange_their_own(alliance: Alliance) -> None:
    air = alliance.air
    await air.give("ann", 300)
    await air.brand.enroll("eve")
    ann, eve = air.brand.member("ann"), air.brand.member("eve")
    mine = {"agreement": alliance.agreement, "member": {"externalId": "ann"}, "amount": "300"}

    assert await air.refused("quoteExchange", eve, **mine) == "MEMBER_NOT_FOUND"
    quote = (await air.done("quoteExchange", ann, **mine))["quote"]
    assert await air.refused("exchangePoints", eve, quote=quote["id"]) == "NOT_FOUND"
    await air.done("exchangePoints", ann, quote=quote["id"])
    assert await alliance.hotel.balance("bob") == 100


async def test_rates_of_the_quote_hold_until_it_ends(alliance: Alliance) -> None:
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 300)
    quote = await alliance.quote(air, "ann", "300")
    worse = {"currency": "USD", "give": {"burn": "6", "credit": "1", "price": "0.0080"}}
    await air.done("proposePartnerTerms", agreement=alliance.agreement, terms=worse)
    await hotel.done("acceptPartnerTerms", agreement=alliance.agreement, number=2)

    await air.done("exchangePoints", air.brand.service, quote=quote["id"])
    assert await hotel.balance("bob") == 100
