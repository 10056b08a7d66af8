"""Rates: no round of them gains, of whatever length, nor with a quote of before they changed."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from loyalty.ids import new_id
from tests.plugins.partners.conftest import Alliance, Shop, propose

BRAND = """insert into loyalty.partners_agreement (tenant_id, id, kind, partner, partner_tenant_id,
  program_id, unit, partner_unit, proposed_here, state, created_at, accepted_at)
select loyalty.tenant(), $1, 'EXCHANGE', 'other', $2, p.id, 'points', 'points', true, 'ACTIVE',
  $3, $3 from loyalty.program p where p.tenant_id = loyalty.tenant() and p.kind = 'partners'"""
RATES = """insert into loyalty.partners_terms (tenant_id, agreement_id, number, terms,
  effective_from, state, proposed_here, proposed_at, decided_at)
values (loyalty.tenant(), $1, 1, $2, $3, 'ACCEPTED', true, $3, $3)"""


def flow(burn: str, credit: str) -> dict[str, str]:
    return {"burn": burn, "credit": credit, "price": "0"}


async def agree(here: Shop, there: Shop, burn: str, credit: str) -> list[str]:
    """Codes of why it was not accepted."""
    terms = {"currency": "USD", "give": flow(burn, credit)}
    agreement = await propose(here, there, terms)
    told = await there.asked("acceptPartnerTerms", agreement=agreement)
    return [error["code"] for error in told["userErrors"]]


async def test_a_long_round_must_not_gain(make_shop: Any) -> None:
    """Ten brands in a circle at one for one; the last gives a point more for a million."""
    shops = [await make_shop() for _ in range(10)]
    for here, there in pairwise(shops):
        assert await agree(here, there, "1", "1") == []
    assert await agree(shops[-1], shops[0], "1000000", "1000001") == ["RATES_GAIN"]
    assert await agree(shops[-1], shops[0], "1000001", "1000000") == []


async def test_where_all_exchange_with_all_it_is_seen_soon(make_shop: Any) -> None:
    """Twelve brands, each with each: a hundred million ways of eight lead around."""
    shops = [await make_shop() for _ in range(12)]
    now = shops[0].brand.clock.now()
    database = shops[0].brand.server.services.api.database
    even = {"currency": "USD", "reversal_hours": 24, "take": None, "give": {"burn": 1, "credit": 1}}
    for here in shops:
        async with database.tenant(here.brand.tenant_id) as connection:
            for there in shops:
                if there is not here:
                    ident = new_id()
                    await connection.execute(BRAND, ident, there.brand.tenant_id, now)
                    await connection.execute(RATES, ident, even, now)
    assert await agree(shops[0], shops[1], "1", "1") == []
    assert await agree(shops[0], shops[1], "1", "2") == ["RATES_GAIN"]


@pytest.mark.parametrize(("give", "code"), [(("2", "1"), None), (("1", "1"), "QUOTE_EXPIRED")])
async def test_a_quote_holds_unless_it_makes_a_round_that_gains(
    alliance: Alliance, give: tuple[str, str], code: str | None
) -> None:
    """At 1 to 2 it was promised; what comes back at 1 to 1 would be more than went."""
    air, hotel = alliance.air, alliance.hotel
    await hotel.give("bob", 100)
    quote = await alliance.quote(hotel, "bob", "100")
    later = {"currency": "USD", "give": flow(*give), "take": flow("1", "1")}
    await air.done("proposePartnerTerms", agreement=alliance.agreement, terms=later)
    await hotel.done("acceptPartnerTerms", agreement=alliance.agreement, number=2)

    told = await hotel.asked("exchangePoints", hotel.brand.service, quote=quote["id"])

    assert [one["code"] for one in told["userErrors"]] == ([code] if code else [])
    assert await air.balance("ann") == (0 if code else 200)


async def test_terms_to_come_are_looked_at_when_they_are_accepted(alliance: Alliance) -> None:
    air, hotel = alliance.air, alliance.hotel
    later = air.brand.clock.now() + timedelta(days=10)
    gaining = {"currency": "USD", "give": flow("1", "1"), "take": flow("1", "2")}
    await air.done(
        "proposePartnerTerms", agreement=alliance.agreement, terms=gaining,
        effectiveFrom=later.isoformat(),
    )  # fmt: skip
    given = {"agreement": alliance.agreement, "number": 2}
    assert await hotel.refused("acceptPartnerTerms", **given) == "RATES_GAIN"


EXTREME = "9000000000000000"


@pytest.mark.parametrize("amount", [EXTREME, "8999999999999999"])
async def test_no_amount_is_too_large_for_an_answer(make_alliance: Any, amount: str) -> None:
    terms = {"currency": "USD", "give": {**flow("1", EXTREME), "price": "9000000"}}
    alliance = await make_alliance(terms)
    given = {"agreement": alliance.agreement, "member": {"externalId": "ann"}, "amount": amount}
    air = alliance.air
    assert await air.refused("quoteExchange", air.brand.service, **given) == "BAD_AMOUNT"
    least = {**given, "amount": "1"}
    assert await air.refused("quoteExchange", air.brand.service, **least) == "BAD_AMOUNT"
