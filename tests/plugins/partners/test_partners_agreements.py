"""Agreements: proposed by one, accepted by the other, suspended, ended; each its own half."""

from datetime import timedelta
from typing import Any

import pytest

from tests.plugins.partners import documents
from tests.plugins.partners.conftest import TERMS, Alliance, Shop, propose


async def seen(shop: Shop, agreement: str) -> Any:
    data = await shop.brand.admin.run(documents.AGREEMENT_OF, id=agreement)
    return data["partnerAgreement"]


async def test_both_sides_see_their_own_half(make_shop: Any) -> None:
    air, hotel = await make_shop(), await make_shop()
    agreement = await propose(air, hotel)

    ours, theirs = await seen(air, agreement), await seen(hotel, agreement)
    assert (ours["state"], theirs["state"]) == ("PROPOSED", "PROPOSED")
    assert (ours["partner"], theirs["partner"]) == (hotel.brand.slug, air.brand.slug)
    assert (ours["proposedByUs"], theirs["proposedByUs"]) == (True, False)
    assert ours["terms"][0]["give"] == theirs["terms"][0]["take"]
    assert ours["terms"][0]["take"] == theirs["terms"][0]["give"]
    assert ours["terms"][0]["give"]["burn"] == "3"

    await hotel.done("acceptPartnerTerms", agreement=agreement)
    ours, theirs = await seen(air, agreement), await seen(hotel, agreement)
    assert (ours["state"], theirs["state"]) == ("ACTIVE", "ACTIVE")
    assert ours["terms"][0]["inForce"] is True


async def test_nobody_accepts_their_own_proposal(make_shop: Any) -> None:
    air, hotel = await make_shop(), await make_shop()
    agreement = await propose(air, hotel)

    assert await air.refused("acceptPartnerTerms", agreement=agreement) == "AGREEMENT_STATE"
    assert (await seen(air, agreement))["state"] == "PROPOSED"


async def test_accepting_twice_is_accepting_once(make_shop: Any) -> None:
    air, hotel = await make_shop(), await make_shop()
    agreement = await propose(air, hotel)
    first = await hotel.done("acceptPartnerTerms", agreement=agreement)
    hotel.brand.clock.advance(timedelta(hours=1))
    assert await hotel.done("acceptPartnerTerms", agreement=agreement) == first


async def test_a_partner_that_is_not_there_is_one_that_takes_no_part(
    make_shop: Any, make_brand: Any
) -> None:
    air, plain = await make_shop(), await make_brand()
    other = await make_shop()
    await air.brand.make_unit("seats")
    given = {"program": "partners", "unit": "points", "terms": TERMS}

    answers = [
        await air.asked("proposeExchange", partner=partner, partnerUnit=unit, **given)
        for partner, unit in (
            ("nobody-there", "points"), (plain.slug, "points"), (air.brand.slug, "points"),
            (other.brand.slug, "stars"),
        )
    ]  # fmt: skip

    assert len({str(answer) for answer in answers}) == 1
    assert answers[0]["userErrors"][0]["code"] == "PARTNER_NOT_AVAILABLE"
    assert await air.refused(
        "proposeExchange", partner=other.brand.slug, partnerUnit="points", program="partners",
        unit="seats", terms=TERMS,
    ) == "BAD_USER_INPUT"  # fmt: skip


async def test_what_both_suspended_both_must_resume(make_shop: Any) -> None:
    air, hotel = await make_shop(), await make_shop()
    agreement = await propose(air, hotel)
    assert await air.refused("suspendPartnership", agreement=agreement) == "AGREEMENT_STATE"
    await hotel.done("acceptPartnerTerms", agreement=agreement)

    for shop in (air, hotel):
        await shop.done("suspendPartnership", agreement=agreement)
    await air.done("resumePartnership", agreement=agreement)
    states = [(await seen(shop, agreement))["state"] for shop in (air, hotel)]
    assert states == ["SUSPENDED", "SUSPENDED"]
    assert (await seen(air, agreement))["suspendedByUs"] is False

    await hotel.done("resumePartnership", agreement=agreement)
    states = [(await seen(shop, agreement))["state"] for shop in (air, hotel)]
    assert states == ["ACTIVE", "ACTIVE"]

    await hotel.done("endPartnership", agreement=agreement)
    await air.done("endPartnership", agreement=agreement)
    assert (await seen(air, agreement))["state"] == "ENDED"
    assert await air.refused("resumePartnership", agreement=agreement) == "AGREEMENT_STATE"


async def test_terms_have_numbers_and_days(make_shop: Any) -> None:
    air, hotel = await make_shop(), await make_shop()
    agreement = await propose(air, hotel)
    await hotel.done("acceptPartnerTerms", agreement=agreement)
    later = air.brand.clock.now() + timedelta(days=10)
    cheaper = {"currency": "USD", "give": {"burn": "4", "credit": "1", "price": "0.0080"}}

    await hotel.done(
        "proposePartnerTerms", agreement=agreement, effectiveFrom=later.isoformat(),
        terms={"currency": "USD", "take": cheaper["give"]},
    )  # fmt: skip
    await air.done("acceptPartnerTerms", agreement=agreement, number=2)

    newest, first = (await seen(air, agreement))["terms"]
    assert (newest["number"], newest["inForce"], first["inForce"]) == (2, False, True)
    assert (newest["give"]["burn"], newest["take"]) == ("4", None)
    air.brand.clock.advance(timedelta(days=11))
    newest, first = (await seen(air, agreement))["terms"]
    assert (newest["inForce"], first["inForce"]) == (True, False)


async def test_terms_accepted_late_apply_from_then_on(make_shop: Any) -> None:
    air, hotel = await make_shop(), await make_shop()
    agreement = await propose(air, hotel)
    air.brand.clock.advance(timedelta(days=3))
    await hotel.done("acceptPartnerTerms", agreement=agreement)

    (terms,) = (await seen(air, agreement))["terms"]
    assert terms["effectiveFrom"] == air.brand.now().replace("+00:00", "Z")


@pytest.mark.parametrize(("back", "code"), [("1", None), ("3", None), ("4", "RATES_GAIN")])
async def test_there_and_back_must_not_gain(make_shop: Any, back: str, code: str | None) -> None:
    air, hotel = await make_shop(), await make_shop()
    terms = {
        "currency": "USD",
        "give": {"burn": "3", "credit": "1", "price": "0"},
        "take": {"burn": "1", "credit": back, "price": "0"},
    }
    agreement = await propose(air, hotel, terms)

    payload = await hotel.asked("acceptPartnerTerms", agreement=agreement)

    assert [one["code"] for one in payload["userErrors"]] == ([code] if code else [])
    state = "PROPOSED" if code else "ACTIVE"
    assert (await seen(air, agreement))["state"] == state


async def test_a_round_of_three_must_not_gain(make_shop: Any) -> None:
    """Each pair is fair by itself; the round 1 -> 2 -> 4 -> 4.04 is not."""
    a, b, c = await make_shop(), await make_shop(), await make_shop()
    for here, there, burn, credit in ((a, b, "1", "2"), (b, c, "1", "2")):
        terms = {"currency": "USD", "give": {"burn": burn, "credit": credit, "price": "0"}}
        await there.done("acceptPartnerTerms", agreement=await propose(here, there, terms))
    gaining = {"currency": "USD", "give": {"burn": "100", "credit": "26", "price": "0"}}
    agreement = await propose(c, a, gaining)

    assert await a.refused("acceptPartnerTerms", agreement=agreement) == "RATES_GAIN"
    assert (await seen(c, agreement))["state"] == "PROPOSED"

    fair = {"currency": "USD", "give": {"burn": "100", "credit": "25", "price": "0"}}
    await a.done("acceptPartnerTerms", agreement=await propose(c, a, fair))


async def test_a_third_brand_knows_of_no_agreement(make_shop: Any) -> None:
    air, hotel, other = await make_shop(), await make_shop(), await make_shop()
    agreement = await propose(air, hotel)

    assert await seen(other, agreement) is None
    for field in ("acceptPartnerTerms", "suspendPartnership", "endPartnership"):
        assert await other.refused(field, agreement=agreement) == "NOT_FOUND"
    listed = await other.brand.admin.run(documents.AGREEMENTS)
    assert listed["partnerAgreements"]["edges"] == []


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"currency": "ZZZ"}, "CURRENCY_NOT_LISTED", "terms.currency"),
        ({"give": None, "take": None}, "BAD_USER_INPUT", "terms"),
        ({"give": {"burn": "0", "credit": "1", "price": "0"}}, "BAD_AMOUNT", "terms.give.burn"),
        ({"give": {"burn": "1.5", "credit": "1", "price": "0"}}, "BAD_AMOUNT", "terms.give.burn"),
        ({"give": {"burn": "1", "credit": "1", "price": "-1"}}, "BAD_AMOUNT", "terms.give.price"),
        ({"reversalHours": -1}, "BAD_USER_INPUT", "terms.reversalHours"),
    ],
)
async def test_bad_terms_say_where(make_shop: Any, change: Any, code: str, field: str) -> None:
    air, hotel = await make_shop(), await make_shop()
    payload = await air.asked(
        "proposeExchange", partner=hotel.brand.slug, program="partners", unit="points",
        partnerUnit="points", terms={**TERMS, **change},
    )  # fmt: skip

    (error,) = payload["userErrors"]
    assert (error["code"], error["field"]) == (code, field)


async def test_terms_are_withdrawn_by_whoever_proposed_them(alliance: Alliance) -> None:
    air, hotel, agreement = alliance.air, alliance.hotel, alliance.agreement
    await air.done("proposePartnerTerms", agreement=agreement, terms=TERMS)
    given = {"agreement": agreement, "number": 2}
    assert await hotel.refused("withdrawPartnerTerms", **given) == "AGREEMENT_STATE"
    for _ in range(2):
        withdrawn = await air.done("withdrawPartnerTerms", **given)
        assert withdrawn["agreement"]["terms"][0]["state"] == "WITHDRAWN"
    assert await hotel.refused("acceptPartnerTerms", **given) == "AGREEMENT_STATE"
    first = {"agreement": agreement, "number": 1}
    assert await air.refused("withdrawPartnerTerms", **first) == "AGREEMENT_STATE"
    await air.done("proposePartnerTerms", agreement=agreement, terms=TERMS)
    accepted = await hotel.done("acceptPartnerTerms", agreement=agreement, number=3)
    assert accepted["agreement"]["terms"][0]["inForce"] is True


async def test_one_brand_cannot_keep_all_others_out(make_shop: Any) -> None:
    """Who proposes again and again is stopped, and nobody else."""
    air, hotel, other = await make_shop(), await make_shop(), await make_shop()
    made = [await propose(air, hotel) for _ in range(20)]
    given = {"program": "partners", "unit": "points", "partnerUnit": "points", "terms": TERMS}
    for here, there in ((air, hotel), (hotel, air)):
        code = await here.refused("proposeExchange", partner=there.brand.slug, **given)
        assert code == "LIMIT_EXCEEDED"
    await propose(other, hotel)
    await hotel.done("endPartnership", agreement=made[0])
    await propose(air, hotel)
