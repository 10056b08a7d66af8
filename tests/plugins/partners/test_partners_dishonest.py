"""What another installation asks is looked at as if it lied: for terms, amounts and instants."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from loyalty.ids import new_id
from loyalty_graphql.ids import node_id
from loyalty_tenants import peer_calls
from loyalty_tenants.peers import peer_named
from tests.plugins.partners import documents
from tests.plugins.partners.elsewhere import Elsewhere
from tests.plugins.partners.installations import (
    both,
    installations,
    make_elsewhere,
    other_dsn,
    server,
    servers,
)

__all__ = ["both", "installations", "make_elsewhere", "other_dsn", "server", "servers"]

CREDIT = documents.mutation("creditExchange", "CreditExchangeInput", "state")
LINKS = """{ member(by: {externalId: "ann"}) { partnerLinks { id } } }"""
WORSE = {"currency": "USD", "give": {"burn": "6", "credit": "1", "price": "0.0080"}}


async def credit(both: Elsewhere, **more: Any) -> str:
    """What the hotel makes of a call of the airline that no exchange stands behind."""
    data = await both.air.brand.admin.run(LINKS)
    given = {
        "agreement": both.agreement, "exchange": str(node_id("PartnerExchange", new_id())),
        "link": data["member"]["partnerLinks"][0]["id"], "terms": 1, "burned": "300",
        "credited": "100", "amount": "0.80", "charge": "0", "at": both.clock.now().isoformat(),
        **more,
    }  # fmt: skip
    api = both.air.brand.server.services.api
    async with api.database.tenant(both.air.brand.tenant_id, read_only=True) as connection:
        peer = await peer_named(connection, "inn")
    assert peer is not None
    body = orjson.dumps({"query": CREDIT, "variables": {"input": given}})
    token = peer_calls.sign(peer, body, new_id(), both.clock.now())
    answer = await both.air.brand.http.post(
        peer.url, content=body,
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
    )  # fmt: skip
    payload = answer.json()["data"]["creditExchange"]
    return str(payload["state"] or payload["userErrors"][0]["code"])


@pytest.mark.parametrize(
    "lie",
    [
        {"credited": "101"},
        {"amount": "0.79"},
        {"charge": "0.01"},
        {"burned": "0", "credited": "0", "amount": "0"},
        {"burned": "2", "credited": "0", "amount": "0"},
        {"terms": 2},
        {"link": str(node_id("PartnerLink", new_id()))},
        {"agreement": documents.ghost()},
    ],
)
async def test_what_was_not_agreed_on_is_not_credited(both: Elsewhere, lie: dict[str, Any]) -> None:
    assert await credit(both, **lie) == "VOIDED"
    assert await both.balances() == (0, 0)


async def test_only_what_is_said_soon_is_credited(both: Elsewhere) -> None:
    """A giver gives up within a week, and its clock is five minutes ahead at most."""
    both.clock.advance(timedelta(days=10))
    told = {}
    for away in (
        timedelta(days=-8),
        timedelta(minutes=6),
        timedelta(days=-7),
        timedelta(minutes=5),
    ):
        at = (both.clock.now() + away).isoformat()
        told[away] = await credit(both, at=at)
    assert list(told.values()) == ["VOIDED", "VOIDED", "CREDITED", "CREDITED"]


async def test_terms_that_no_quote_can_be_of_are_over(both: Elsewhere) -> None:
    """A quote lasts a day at most; what was promised under the terms before it is honoured."""
    await both.air.done("proposePartnerTerms", agreement=both.agreement, terms=WORSE)
    await both.hotel.done("acceptPartnerTerms", agreement=both.agreement, number=2)
    both.clock.advance(timedelta(hours=24))
    assert await credit(both) == "CREDITED"
    both.clock.advance(timedelta(minutes=6))
    assert await credit(both) == "VOIDED"
    fair = {"burned": "600", "credited": "100", "terms": 2}
    assert await credit(both, **fair) == "CREDITED"
