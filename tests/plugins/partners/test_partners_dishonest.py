"""What another installation asks is looked at as if it lied: for terms, amounts and instants."""

import random
from datetime import timedelta
from typing import Any

import orjson
import pytest

from loyalty.ids import new_id
from loyalty_graphql.ids import node_id
from loyalty_partners.remote import documents as remote
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
    payload = await called(both, CREDIT, given)
    return str(payload["state"] or payload["userErrors"][0]["code"])


async def called(both: Elsewhere, document: str, given: dict[str, Any]) -> Any:
    """The hotel's answer to a call that the airline signed."""
    api = both.air.brand.server.services.api
    async with api.database.tenant(both.air.brand.tenant_id, read_only=True) as connection:
        peer = await peer_named(connection, "inn")
    assert peer is not None
    body = orjson.dumps({"query": document, "variables": {"input": given}})
    token = peer_calls.sign(peer, body, new_id(), both.clock.now())
    answer = await both.air.brand.http.post(
        peer.url, content=body,
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
    )  # fmt: skip
    (payload,) = answer.json()["data"].values()
    return payload


class Taker:
    """What an exchange must be at the taker, whatever is asked in which order."""

    def __init__(self) -> None:
        self.state = "NONE"

    def hears(self, call: str) -> Any:
        """What is answered."""
        first = {"credit": "CREDITED", "void": "VOIDED"}
        if self.state == "NONE":
            self.state = first.get(call, "NONE")
        elif (self.state, call) == ("CREDITED", "confirm"):
            self.state = "SETTLED"
        elif (self.state, call) == ("SETTLED", "back"):
            self.state = "BACK"
        if call in first:
            return "VOIDED" if self.state == "VOIDED" else "CREDITED"
        return self.state in (("SETTLED", "BACK") if call == "confirm" else ("BACK",))


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


@pytest.mark.parametrize("seed", range(2))
async def test_calls_in_any_order_come_to_one_thing(both: Elsewhere, seed: int) -> None:
    chance, at = random.Random(seed), both.clock.now().isoformat()
    exchanges = {str(node_id("PartnerExchange", new_id())): Taker() for _ in range(4)}
    for _ in range(40):
        exchange, taker = chance.choice(list(exchanges.items()))
        call = chance.choice(["credit", "void", "confirm", "back"])
        one = {"exchange": exchange}
        match call:
            case "credit":
                told: Any = await credit(both, exchange=exchange, at=at)
            case "void":
                given = {**one, "agreement": both.agreement, "at": at}
                told = (await called(both, remote.VOID, given))["state"]
            case "confirm":
                settled = await called(both, remote.CONFIRM, {"exchanges": [exchange]})
                told = settled["exchanges"] == [exchange]
            case _:
                told = (await called(both, remote.TAKE_BACK, one))["at"] is not None
        assert told == taker.hears(call), (call, taker.state)
        there = sum(one.state in ("CREDITED", "SETTLED") for one in exchanges.values())
        assert await both.hotel.balance("bob") == 100 * there
