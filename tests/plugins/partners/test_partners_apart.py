"""A partner learns nothing but its own half: not by what it reads, by errors, nor by rows."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from loyalty.ids import new_id
from loyalty_graphql.ids import node_id
from tests.plugins.partners import documents
from tests.plugins.partners.conftest import Alliance, link
from tests.plugins.partners.test_partners_issuing import make_stall

__all__ = ["make_stall"]

SECRETS = ('"ann"', '"amy"', "air-only")  # what only the airline says


async def _all_of(shop: Any, agreement: str) -> str:
    """Everything that the brand's own people can read of the partnership."""
    read = [
        await shop.brand.admin.post(document, given)
        for document, given in (
            (documents.AGREEMENT_OF, {"id": agreement}),
            (documents.AGREEMENTS, {}),
            (documents.STATEMENT_OF, {"agreement": agreement}),
            (documents.STATEMENTS, {"agreement": agreement}),
            (documents.LINES_OF, {"agreement": agreement}),
            (documents.FILE, {"agreement": agreement, "period": "2026-01", "format": "JSON"}),
            (documents.POSITIONS, {}),
            (documents.LINKS, {"name": "bob"}),
        )
    ]
    return "".join(answer.text for answer in read)


async def test_no_answer_has_anything_of_the_other_half(alliance: Alliance) -> None:
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 700)
    await air.brand.enroll("amy")
    done = await alliance.exchange(air, "ann", "300")
    await air.done(
        "reverseExchange", air.brand.service, exchange=done["exchange"]["id"], reason="air-only"
    )
    await alliance.exchange(air, "ann", "300")

    told = await _all_of(hotel, alliance.agreement)

    assert not [word for word in SECRETS if word in told]
    assert str(air.brand.tenant_id) not in told
    assert "carried" in told
    assert '"carried":"' not in told  # what points are worth to the airline's books


async def test_what_one_side_does_alone_changes_nothing_at_the_other(
    alliance: Alliance, rows: Any
) -> None:
    air, hotel = alliance.air, alliance.hotel
    before = await rows.of(hotel.brand.tenant_id)
    await air.give("ann", 700)
    await air.brand.enroll("amy")
    quote = await alliance.quote(air, "ann", "300")
    await air.done(
        "issueLinkCode", air.brand.service, agreement=alliance.agreement,
        member={"externalId": "amy"},
    )  # fmt: skip
    over = await alliance.quote(air, "ann", "900")
    await air.refused("exchangePoints", air.brand.service, quote=over["id"])
    assert quote["credited"] == "100"
    assert await rows.of(hotel.brand.tenant_id) == before


@pytest.mark.parametrize("field", ["issueLinkCode", "quoteExchange"])
async def test_a_stranger_and_a_ghost_get_one_answer(
    alliance: Alliance, make_shop: Any, field: str
) -> None:
    """A third brand that knows the agreement's id, and one that made an id up."""
    other = await make_shop()
    await other.brand.enroll("ann")
    given: dict[str, Any] = {"member": {"externalId": "ann"}}
    if field == "quoteExchange":
        given["amount"] = "300"
    ghost = documents.ghost()
    answers = [
        await other.asked(field, other.brand.service, agreement=ident, **given)
        for ident in (alliance.agreement, ghost)
    ]
    assert answers[0] == answers[1]
    assert answers[0]["userErrors"][0]["code"] == "PARTNER_NOT_AVAILABLE"


async def test_a_quote_or_exchange_of_the_other_side_is_not_there(alliance: Alliance) -> None:
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 700)
    quote = await alliance.quote(air, "ann", "300")
    code = await hotel.refused("exchangePoints", hotel.brand.service, quote=quote["id"])
    assert code == "NOT_FOUND"


async def test_many_exchanges_both_ways_at_once(alliance: Alliance) -> None:
    """Each of them whole, and nobody waits in a circle."""
    air, hotel = alliance.air, alliance.hotel
    pairs = [("ann", "bob"), *((f"a{n}", f"b{n}") for n in range(3))]
    for ours, theirs in pairs[1:]:
        await air.brand.enroll(ours)
        await hotel.brand.enroll(theirs)
        await link(alliance.agreement, air, ours, hotel, theirs)
    for ours, theirs in pairs:
        await air.give(ours, 3_000)
        await hotel.give(theirs, 3_000)

    async def client(number: int) -> None:
        ours, theirs = pairs[number % len(pairs)]
        for _ in range(3):
            if number % 2:
                await alliance.exchange(air, ours, "30")
            else:
                await alliance.exchange(hotel, theirs, "5")

    await asyncio.gather(*(client(number) for number in range(16)))

    left = sum([await air.balance(ours) for ours, _ in pairs])
    right = sum([await hotel.balance(theirs) for _, theirs in pairs])
    assert left == 12_000 - 24 * 30 + 24 * 10
    assert right == 12_000 - 24 * 5 + 24 * 10


async def test_a_statement_of_another_brand_is_not_there(make_stall: Any) -> None:
    """Told in the very words in which one that was made up is."""
    grocer = await make_stall()
    shop = grocer.shop
    fuel = await make_stall(shop, client="fuel")
    shop.brand.clock.advance(timedelta(days=40))
    month = {"agreement": grocer.agreement, "period": "2026-01"}
    made = (await shop.done("proposeStatement", **month))["statement"]["id"]
    ghost = str(node_id("PartnerStatement", new_id()))
    for field, more in (("agreeStatement", {}), ("settleStatement", {"paymentRef": "x"})):
        answers = [
            await shop.asked(field, fuel.key, statement=ident, **more) for ident in (made, ghost)
        ]
        assert answers[0] == answers[1]
