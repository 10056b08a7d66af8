"""Coalitions: what one brand keeps is earned and spent at the other; who issued is charged."""

from datetime import timedelta
from typing import Any

import pytest

from tests.plugins.partners import documents
from tests.plugins.partners.conftest import Alliance, Shop, link

CAP = {"perMemberPerDay": "150"}


@pytest.fixture
async def coalition(make_shop: Any, dsn: Any) -> Any:
    """The airline keeps miles; they are earned and spent at the hotel too."""
    air, hotel = await make_shop(), await make_shop()
    payload = await air.done(
        "proposeCoalition", partner=hotel.brand.slug, program="partners", unit="points",
        currency="USD", earnPrice="0.012", burnPrice="0.008", **CAP,
    )  # fmt: skip
    agreement = payload["agreement"]["id"]
    await hotel.done("acceptPartnerTerms", agreement=agreement)
    await air.brand.enroll("ann")
    await hotel.brand.enroll("bob")
    await link(agreement, air, "ann", hotel, "bob")
    made = Alliance(air, hotel, agreement, dsn.audit)
    yield made
    await made.audited()


def till(coalition: Alliance, ref: str, points: str, member: str = "bob") -> dict[str, Any]:
    return {
        "agreement": coalition.agreement, "member": {"externalId": member}, "points": points,
        "externalId": ref,
    }  # fmt: skip


async def owed(shop: Shop) -> list[str]:
    data = await shop.brand.admin.run(documents.POSITIONS)
    return [one["net"] for one in data["clearingPositions"]]


async def test_who_gives_points_away_is_charged(coalition: Alliance) -> None:
    air, hotel = coalition.air, coalition.hotel
    sale = till(coalition, "s-1", "500")
    first = await hotel.done("earnAtPartnerTill", hotel.brand.service, **sale)
    again = await hotel.done("earnAtPartnerTill", hotel.brand.service, **sale)

    assert (first["exchange"]["points"], again["replayed"]) == ("500", True)
    assert (await air.balance("ann"), await hotel.balance("bob")) == (500, 0)
    assert (await owed(air), await owed(hotel)) == (["6.00"], ["-6.00"])
    other = till(coalition, "s-1", "501")
    code = await hotel.refused("earnAtPartnerTill", hotel.brand.service, **other)
    assert code == "IDEMPOTENCY_MISMATCH"


async def test_who_issued_them_pays_where_they_are_spent(coalition: Alliance) -> None:
    air, hotel = coalition.air, coalition.hotel
    await air.give("ann", 400)
    spend = till(coalition, "s-2", "100")
    await hotel.done("spendAtPartnerTill", hotel.brand.service, **spend)

    assert await air.balance("ann") == 300
    assert (await owed(air), await owed(hotel)) == (["-0.80"], ["0.80"])
    over = till(coalition, "s-3", "51")
    code = await hotel.refused("spendAtPartnerTill", hotel.brand.service, **over)
    assert code == "PARTNER_NOT_AVAILABLE"  # a cap of the airline's, which is its own to know
    air.brand.clock.advance(timedelta(days=1))
    await hotel.done("spendAtPartnerTill", hotel.brand.service, **over)
    assert await air.balance("ann") == 249


async def test_what_a_till_did_is_undone_on_both_sides(coalition: Alliance) -> None:
    air, hotel = coalition.air, coalition.hotel
    await air.give("ann", 200)
    done = [
        await hotel.done(field, hotel.brand.service, **till(coalition, ref, "100"))
        for field, ref in (("earnAtPartnerTill", "e-1"), ("spendAtPartnerTill", "b-1"))
    ]
    assert await air.balance("ann") == 200
    for one in reversed(done):
        undo = {"exchange": one["exchange"]["id"]}
        back = await hotel.done("reverseExchange", hotel.brand.service, **undo)
        assert back["exchange"]["reversed"] is True
    assert await air.balance("ann") == 200
    assert (await owed(air), await owed(hotel)) == (["0.00"], ["0.00"])


async def test_more_than_there_is_is_not_spent(coalition: Alliance) -> None:
    hotel = coalition.hotel
    spend = till(coalition, "s-4", "100")
    code = await hotel.refused("spendAtPartnerTill", hotel.brand.service, **spend)
    assert code == "PARTNER_NOT_AVAILABLE"
    assert await owed(hotel) == []


async def test_who_keeps_the_points_has_tills_of_its_own(coalition: Alliance) -> None:
    air = coalition.air
    sale = till(coalition, "s-5", "100", member="ann")
    code = await air.refused("earnAtPartnerTill", air.brand.service, **sale)
    assert code == "PARTNER_NOT_AVAILABLE"
