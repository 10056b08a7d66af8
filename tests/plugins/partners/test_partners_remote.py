"""A partner of another installation: leg by leg, each once; what is not known is asked again."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from loyalty.ids import new_id
from loyalty_partners.movement import reversal_id
from loyalty_partners.rules import undoing
from loyalty_tenants import peer_calls
from loyalty_tenants.peers import peer_named
from tests.docs.page import ROOT, blocks
from tests.graphql.brand import Server
from tests.plugins.partners import documents
from tests.plugins.partners.conftest import TERMS
from tests.plugins.partners.elsewhere import Elsewhere, meet
from tests.plugins.partners.installations import (
    both,
    installations,
    make_elsewhere,
    other_dsn,
    server,
    servers,
)

__all__ = ["both", "installations", "make_elsewhere", "other_dsn", "server", "servers"]

PAGE = ROOT / "docs" / "programs" / "partners.md"


async def test_an_exchange_goes_leg_by_leg_to_its_end(both: Elsewhere) -> None:
    await both.air.give("ann", 3_100)

    done = await both.exchange(both.air, "ann", "3100")

    assert (done["state"], done["partner"], done["points"]) == ("CREDITED", "inn", "3099")
    assert await both.balances() == (1, 1_033)
    assert await both.states(done["id"]) == ("CREDITED", "CREDITED")
    await both.work()
    assert await both.states(done["id"]) == ("SETTLED", "SETTLED")
    assert await both.hotel.expiries("bob") == [("2027-01-01T17:00:00Z", "1033")]

    back = await both.exchange(both.hotel, "bob", "1000")
    assert (back["state"], await both.balances()) == ("CREDITED", (2_001, 33))


@pytest.mark.parametrize("lost", ["request", "answer"])
async def test_what_is_not_known_is_asked_again(both: Elsewhere, lost: str) -> None:
    """The points are gone here, and nobody knows whether they arrived: it stays PENDING, however
    often the member asks, until the partner says."""
    await both.air.give("ann", 300)
    quote = await both.quote(both.air, "ann", "300")
    async with both.post.cut(lost):
        payload = await both.air.done("exchangePoints", both.air.brand.service, quote=quote["id"])
        again = await both.air.done("exchangePoints", both.air.brand.service, quote=quote["id"])
    exchange = payload["exchange"]
    assert (exchange["state"], again["replayed"], again["exchange"]) == ("PENDING", True, exchange)
    assert await both.balances() == (0, 100 if lost == "answer" else 0)

    await both.work()

    assert await both.balances() == (0, 100)
    assert await both.states(exchange["id"]) == ("SETTLED", "SETTLED")


async def test_what_the_partner_refuses_comes_back_with_its_end(
    both: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The void's id says nothing of when it was written: this one is less than the exchange's.
    monkeypatch.setattr(undoing, "reversal_id", lambda key: UUID(int=reversal_id(key).int >> 32))
    await both.air.give("ann", 300, expiresAt="2026-06-01T00:00:00Z")
    await both.hotel.done("suspendPartnership", agreement=both.agreement)
    await both.air.done("suspendPartnership", agreement=both.agreement)
    assert await both.air.refused(
        "quoteExchange", both.air.brand.service, agreement=both.agreement,
        member={"externalId": "ann"}, amount="300",
    ) == "PARTNER_NOT_AVAILABLE"  # fmt: skip
    await both.air.done("resumePartnership", agreement=both.agreement)
    await both.hotel.done("resumePartnership", agreement=both.agreement)
    frozen = "mutation($i: FreezeMemberInput!) { freezeMember(input: $i) { userErrors { code } } }"
    await both.hotel.brand.admin.run(
        frozen, i={"member": {"externalId": "bob"}, "reason": "to see"}
    )
    await both.hotel.brand.admin.run(
        "mutation($i: CloseMemberInput!) { closeMember(input: $i) { userErrors { code } } }",
        i={"member": {"externalId": "bob"}},
    )

    quote = await both.quote(both.air, "ann", "300")
    for _ in range(2):  # sent again it is answered as before
        code = await both.air.refused("exchangePoints", both.air.brand.service, quote=quote["id"])
        assert code == "PARTNER_NOT_AVAILABLE"

    assert await both.states(quote["id"]) == ("VOIDED", "VOIDED")
    assert await both.air.expiries("ann") == [("2026-06-01T00:00:00Z", "300")]
    data = await both.air.brand.admin.run(documents.LINES_OF, agreement=both.agreement)
    lines = [edge["node"] for edge in data["partnerLines"]["edges"]]
    assert [(one["kind"], one["pointsOut"]) for one in lines] == [
        ("EXCHANGE", "300"), ("VOID", "-300"),
    ]  # fmt: skip
    assert lines[0]["at"] == lines[1]["at"]
    paged = []
    for order in (("first", "after", "endCursor"), ("last", "before", "startCursor")):
        paged.append(await _one_by_one(both, *order))
    assert paged == [lines, lines[::-1]]


async def _one_by_one(
    both: Elsewhere, count: str, beyond: str, cursor: str
) -> list[dict[str, Any]]:
    document = f"""query($agreement: ID!, $beyond: String) {{
      partnerLines(agreement: $agreement, {count}: 1, {beyond}: $beyond) {{
        pageInfo {{ {cursor} }} edges {{ node {{ {documents.LINE} }} }} }} }}"""
    found, at = [], None
    for _ in range(3):
        data = await both.air.brand.admin.run(document, agreement=both.agreement, beyond=at)
        page = data["partnerLines"]
        found += [edge["node"] for edge in page["edges"]]
        at = page["pageInfo"][cursor] or at
    return found


async def test_a_late_credit_finds_it_called_off(both: Elsewhere) -> None:
    """The call that would credit is on its way yet when the giver gives up: it credits nothing."""
    await both.air.give("ann", 300)
    quote = await both.quote(both.air, "ann", "300")
    async with both.post.cut("request"):
        payload = await both.air.done("exchangePoints", both.air.brand.service, quote=quote["id"])
        late = both.post.sent[-1]
        given = {"exchange": payload["exchange"]["id"]}
        still = await both.air.done("giveExchangeUp", both.air.brand.service, **given)
        assert still["exchange"]["state"] == "PENDING"
    await both.work()
    assert await both.states(given["exchange"]) == ("VOIDED", "VOIDED")
    assert await both.balances() == (300, 0)

    answer = await _send(both, late)

    assert answer["data"]["creditExchange"]["state"] == "VOIDED"
    assert await both.balances() == (300, 0)


async def test_what_was_credited_cannot_be_given_up(both: Elsewhere) -> None:
    await both.air.give("ann", 300)
    quote = await both.quote(both.air, "ann", "300")
    async with both.post.cut("answer"):
        payload = await both.air.done("exchangePoints", both.air.brand.service, quote=quote["id"])
    given = {"exchange": payload["exchange"]["id"]}

    done = await both.air.done("giveExchangeUp", both.air.brand.service, **given)

    assert done["exchange"]["state"] == "CREDITED"
    assert await both.balances() == (0, 100)


async def test_after_a_day_without_an_answer_it_is_called_off(both: Elsewhere) -> None:
    await both.air.give("ann", 300)
    async with both.post.cut("request"):
        done = await both.exchange(both.air, "ann", "300")
        assert done["state"] == "PENDING"
        await both.work()
    assert await both.states(done["id"]) == ("PENDING", None)
    both.clock.advance(timedelta(hours=25))

    await both.work()

    assert await both.states(done["id"]) == ("VOIDED", "VOIDED")
    assert await both.balances() == (300, 0)


@pytest.mark.parametrize("asked_by", ["giver", "taker"])
@pytest.mark.parametrize("lost", [None, "request", "answer"])
async def test_undone_on_both_sides_whoever_asks(
    both: Elsewhere, asked_by: str, lost: str | None
) -> None:
    await both.air.give("ann", 300, expiresAt="2026-06-01T00:00:00Z")
    done = await both.exchange(both.air, "ann", "300")
    given = {"exchange": done["id"]}
    early = await both.air.refused("reverseExchange", both.air.brand.service, **given)
    assert early == "NOT_REVERSIBLE"
    await both.work()
    shop = both.air if asked_by == "giver" else both.hotel

    if lost is not None:
        async with both.post.cut(lost):
            await shop.asked("reverseExchange", shop.brand.service, **given)
    both.clock.advance(timedelta(minutes=1))
    await both.work()
    payload = await shop.done("reverseExchange", shop.brand.service, **given)

    assert payload["exchange"]["reversed"] is True
    await both.work()
    assert await both.balances() == (300, 0)
    assert await both.air.expiries("ann") == [("2026-06-01T00:00:00Z", "300")]


async def test_what_is_spent_there_is_not_undone(both: Elsewhere) -> None:
    await both.air.give("ann", 300)
    done = await both.exchange(both.air, "ann", "300")
    await both.work()
    await both.exchange(both.hotel, "bob", "100")
    for shop in (both.air, both.hotel):
        code = await shop.refused("reverseExchange", shop.brand.service, exchange=done["id"])
        assert code == "NOT_REVERSIBLE"


async def test_terms_are_proposed_and_accepted_over_there(both: Elsewhere) -> None:
    terms = {"currency": "USD", "give": {"burn": "2", "credit": "1", "price": "0.0080"}}
    await both.air.done("proposePartnerTerms", agreement=both.agreement, terms=terms)
    seen = await both.hotel.brand.admin.run(documents.AGREEMENT_OF, id=both.agreement)
    newest = seen["partnerAgreement"]["terms"][0]
    assert (newest["number"], newest["state"], newest["take"]["burn"]) == (2, "PROPOSED", "2")
    await both.air.done("withdrawPartnerTerms", agreement=both.agreement, number=2)
    given = {"agreement": both.agreement, "number": 2}
    assert await both.hotel.refused("acceptPartnerTerms", **given) == "AGREEMENT_STATE"
    await both.air.done("proposePartnerTerms", agreement=both.agreement, terms=terms)
    await both.hotel.done("acceptPartnerTerms", agreement=both.agreement, number=3)

    await both.air.give("ann", 300)
    await both.exchange(both.air, "ann", "300")
    assert await both.balances() == (0, 150)


async def test_rates_that_gain_are_refused(make_shop: Any, servers: tuple[Server, Server]) -> None:
    air, hotel = await make_shop(), await make_shop(on=servers[1])
    await meet(air, hotel)
    terms = {
        "currency": "USD", "give": {"burn": "1", "credit": "2", "price": "0.0080"},
        "take": {"burn": "1", "credit": "1", "price": "0.0080"},
    }  # fmt: skip
    payload = await air.done(
        "proposeExchange", partner="inn", program="partners", unit="points", partnerUnit="points",
        terms=terms,
    )  # fmt: skip
    code = await hotel.refused("acceptPartnerTerms", agreement=payload["agreement"]["id"])
    assert code == "RATES_GAIN"


async def test_the_page_tells_how_two_meet(make_shop: Any, servers: tuple[Server, Server]) -> None:
    air, hotel = await make_shop(), await make_shop(on=servers[1])
    shops = {"As the airline, here": (air, hotel), "As the hotel, elsewhere": (hotel, air)}
    known: dict[str, str] = {}
    told = [block for block in blocks(PAGE, "gql") if block.title in shops]
    for block in told:
        shop, other = shops[block.title]
        known |= {"url": f"{other.brand.server.url}/graphql", "tenant": other.brand.slug}
        if "$agreement:" in block.text:
            payload = await air.done(
                "proposeExchange", partner="inn", program="partners", unit="points",
                partnerUnit="points", terms=TERMS,
            )  # fmt: skip
            known["agreement"] = payload["agreement"]["id"]
        given = {name: text for name, text in known.items() if f"${name}:" in block.text}
        data = await shop.brand.admin.run(block.text, **given)
        assert '"message": ' not in json.dumps(data), (block.text, data)
        if "connectRemotePartner" in data:
            known["invitation"] = data["connectRemotePartner"].get("invitation") or ""
    assert len(told) == 4
    assert data["partnerAgreement"] == {"partner": "inn", "remote": True, "comparedDays": []}


async def _send(both: Elsewhere, body: str) -> Any:
    """What the airline would have sent, signed now."""
    api = both.air.brand.server.services.api
    async with api.database.tenant(both.air.brand.tenant_id, read_only=True) as connection:
        peer = await peer_named(connection, "inn")
    assert peer is not None
    token = peer_calls.sign(peer, body.encode(), new_id(), api.clock.now())
    answer = await both.air.brand.http.post(
        peer.url, content=body.encode(),
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
    )  # fmt: skip
    return orjson.loads(answer.content)
