"""Links: a code issued at one brand and redeemed at the other, once, by whoever has it."""

from datetime import timedelta
from typing import Any

from tests.plugins.partners import documents
from tests.plugins.partners.conftest import Alliance, link


async def test_codes_are_good_once_and_for_a_while(alliance: Alliance) -> None:
    air, hotel = alliance.air, alliance.hotel
    for shop, member in ((air, "amy"), (hotel, "ben"), (hotel, "bea")):
        await shop.brand.enroll(member)
    issue = {"agreement": alliance.agreement, "member": {"externalId": "amy"}}
    code = (await air.done("issueLinkCode", air.brand.service, **issue))["code"]
    take = {"agreement": alliance.agreement, "member": {"externalId": "ben"}}

    wrong = await hotel.asked("redeemLinkCode", hotel.brand.service, **take, code=code[::-1])
    air.brand.clock.advance(timedelta(minutes=15))
    late = await hotel.asked("redeemLinkCode", hotel.brand.service, **take, code=code)
    code = (await air.done("issueLinkCode", air.brand.service, **issue))["code"]
    typed = code.lower().replace("-", " ")
    await hotel.done("redeemLinkCode", hotel.brand.service, **take, code=typed)
    other = {**take, "member": {"externalId": "bea"}}
    used = await hotel.asked("redeemLinkCode", hotel.brand.service, **other, code=code)

    assert wrong == late == used
    assert wrong["userErrors"][0]["code"] == "NOT_FOUND"
    assert await air.refused("issueLinkCode", air.brand.service, **issue) == "ALREADY_EXISTS"


async def test_codes_cannot_be_tried_for_ever(alliance: Alliance) -> None:
    hotel = alliance.hotel
    await hotel.brand.enroll("eve")
    take = {"agreement": alliance.agreement, "member": {"externalId": "eve"}, "code": "AAAAA"}
    codes = [await hotel.refused("redeemLinkCode", hotel.brand.service, **take) for _ in range(11)]
    assert codes == ["NOT_FOUND"] * 10 + ["LIMIT_REACHED"]
    hotel.brand.clock.advance(timedelta(hours=1))
    assert await hotel.refused("redeemLinkCode", hotel.brand.service, **take) == "NOT_FOUND"


async def test_a_member_may_be_linked_with_several_partners(
    alliance: Alliance, make_alliance: Any
) -> None:
    other = await make_alliance()
    await other.air.brand.enroll("abe")
    await other.hotel.brand.enroll("bib")
    await link(other.agreement, other.air, "abe", other.hotel, "bib")
    data = await other.air.brand.admin.run(documents.LINKS, name="abe")
    assert [one["partner"] for one in data["member"]["partnerLinks"]] == [other.hotel.brand.slug]


async def test_failures_are_kept_for_their_hour_and_go_with_the_member(
    alliance: Alliance, rows: Any
) -> None:
    hotel = alliance.hotel
    for member in ("eve", "eva"):
        await hotel.brand.enroll(member)
    take = {"agreement": alliance.agreement, "code": "AAAAA"}
    given = {**take, "member": {"externalId": "eve"}}
    assert await hotel.refused("redeemLinkCode", hotel.brand.service, **given) == "NOT_FOUND"
    hotel.brand.clock.advance(timedelta(hours=1))
    given = {**take, "member": {"externalId": "eva"}}
    assert await hotel.refused("redeemLinkCode", hotel.brand.service, **given) == "NOT_FOUND"
    assert (await rows.of(hotel.brand.tenant_id))["partners_link_failure"].startswith("1 ")

    erased = await hotel.brand.admin.run(
        "mutation($i: EraseMemberInput!) { eraseMember(input: $i) { userErrors { code } } }",
        i={"member": {"externalId": "eva"}},
    )
    assert erased["eraseMember"]["userErrors"] == []
    assert (await rows.of(hotel.brand.tenant_id))["partners_link_failure"].startswith("0 ")
