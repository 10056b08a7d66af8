"""The secret between two installations is replaced while they go on, whatever is lost meanwhile."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from loyalty.ids import new_id
from loyalty_tenants import peer_calls
from loyalty_tenants.peers import OVERLAP, Peer, peer_named
from tests.plugins.partners import documents
from tests.plugins.partners.conftest import Shop
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

TRAIL = """{ auditTrail(first: 50) { edges { node { action details } } } }"""
DAY = """query($agreement: ID!) { partnerDay(agreement: $agreement, day: "2026-01-01") {
  exchanges } }"""


async def peer(shop: Shop) -> Peer:
    """What a brand knows of the other one."""
    api = shop.brand.server.services.api
    async with api.database.tenant(shop.brand.tenant_id, read_only=True) as connection:
        found = await peer_named(connection, await _name(shop))
    assert found is not None
    return found


async def _name(shop: Shop) -> str:
    return str((await _seen(shop))["name"])


async def _seen(shop: Shop) -> Any:
    data = await shop.brand.admin.run(documents.PEERS)
    (partner,) = data["remotePartners"]
    return partner


async def offer(shop: Shop) -> str:
    """A new secret, as the invitation that is handed over."""
    partner = (await _seen(shop))["id"]
    done = await shop.done("rotateRemotePartnerSecret", partner=partner)
    assert done["partner"]["secretWaits"] is True
    return str(done["invitation"])


async def enter(both: Elsewhere, shop: Shop, invitation: str) -> Any:
    other = both.hotel if shop is both.air else both.air
    return await shop.asked(
        "connectRemotePartner", name=await _name(shop), tenant=other.brand.slug,
        url=f"{other.brand.server.url}/graphql", invitation=invitation,
    )  # fmt: skip


async def heard(both: Elsewhere, by: Peer) -> bool:
    """Whether the hotel hears the airline when it signs so."""
    body = orjson.dumps({"query": DAY, "variables": {"agreement": both.agreement}})
    token = peer_calls.sign(by, body, new_id(), both.clock.now())
    answer = await both.air.brand.http.post(
        f"{both.hotel.brand.server.url}/graphql", content=body,
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
    )  # fmt: skip
    return bool(answer.status_code == 200)


async def both_ways(both: Elsewhere) -> None:
    """An exchange each way comes to its end."""
    await both.air.give("ann", 300)
    for shop, member, amount in ((both.air, "ann", "300"), (both.hotel, "bob", "100")):
        done = await both.exchange(shop, member, amount)
        assert done["state"] == "CREDITED"
        await both.work()
        assert await both.states(done["id"]) == ("SETTLED", "SETTLED")


@pytest.mark.parametrize("who", ["inviter", "invited"])
async def test_both_go_on_while_the_secret_changes(both: Elsewhere, who: str) -> None:
    ours, theirs = (both.air, both.hotel) if who == "inviter" else (both.hotel, both.air)
    before = await peer(ours)
    invitation = await offer(ours)
    await both_ways(both)

    entered = await enter(both, theirs, invitation)

    assert entered["userErrors"] == []
    after = await peer(ours)
    assert after.secret == (await peer(theirs)).secret != before.secret
    assert (await _seen(ours))["secretWaits"] is False
    await both_ways(both)
    assert (await enter(both, theirs, invitation))["userErrors"] == []  # sent again
    both.clock.advance(timedelta(days=1))
    await both_ways(both)


async def test_the_old_secret_is_heard_for_minutes_and_no_more(both: Elsewhere) -> None:
    old = await peer(both.air)
    invitation = await offer(both.air)
    await enter(both, both.hotel, invitation)
    new = await peer(both.air)
    assert await heard(both, old)
    both.clock.advance(OVERLAP - timedelta(seconds=1))
    assert await heard(both, old)
    both.clock.advance(timedelta(seconds=1))
    assert (await heard(both, old), await heard(both, new)) == (False, True)


@pytest.mark.parametrize("lost", ["request", "answer"])
async def test_what_is_lost_on_the_way_stops_nothing(both: Elsewhere, lost: str) -> None:
    """The one side may have renewed and the other not know: each is heard by the other, for days,
    until the invitation is entered once more."""
    invitation = await offer(both.air)
    async with both.post.cut(lost, only="greetPartner"):
        payload = await enter(both, both.hotel, invitation)
    assert payload["userErrors"][0]["code"] == "PARTNER_NOT_AVAILABLE"
    assert (await _seen(both.hotel))["secretWaits"] is True
    await both_ways(both)
    both.clock.advance(timedelta(days=3))
    await both_ways(both)

    assert (await enter(both, both.hotel, invitation))["userErrors"] == []

    assert (await peer(both.air)).secret == (await peer(both.hotel)).secret
    assert [(await _seen(shop))["secretWaits"] for shop in (both.air, both.hotel)] == [False] * 2
    both.clock.advance(timedelta(days=1))
    await both_ways(both)


async def test_an_invitation_that_was_replaced_is_void(both: Elsewhere) -> None:
    first, second = await offer(both.air), await offer(both.air)
    refused = await enter(both, both.hotel, first)
    assert refused["userErrors"][0]["code"] == "PARTNER_NOT_AVAILABLE"
    await both_ways(both)
    assert (await enter(both, both.hotel, second))["userErrors"] == []

    # One that was in force is none any more, even in the minutes in which it is still heard.
    third = await offer(both.air)
    assert (await enter(both, both.hotel, third))["userErrors"] == []
    again = await enter(both, both.hotel, second)
    assert again["userErrors"][0]["code"] == "NOT_FOUND"
    both.clock.advance(timedelta(days=1))
    await both_ways(both)


async def test_whoever_has_the_old_secret_does_not_get_the_new_one(both: Elsewhere) -> None:
    """Nothing of it goes over the wire, and a made-up one is not heard."""
    invitation = await offer(both.air)
    await enter(both, both.hotel, invitation)
    told = "".join(both.post.sent)
    assert invitation not in told
    new = await peer(both.air)
    assert new.secret.hex() not in told
    assert not await heard(both, replace(new, secret=bytes(32)))


async def test_it_is_noted_and_only_whom_we_met_has_one(both: Elsewhere) -> None:
    await enter(both, both.hotel, await offer(both.air))
    for shop, actions in (
        (both.air, {"peer.secret.rotate", "peer.secret.renew"}),
        (both.hotel, {"peer.secret.enter", "peer.secret.renew"}),
    ):
        data = await shop.brand.admin.run(TRAIL)
        nodes = [edge["node"] for edge in data["auditTrail"]["edges"]]
        noted = {one["action"] for one in nodes if one["action"].startswith("peer.secret")}
        assert noted == actions
        assert "loyp_" not in str(nodes)
    invited = await both.air.done(
        "connectRemotePartner", name="rail", tenant="rail", url="http://127.0.0.1:1/graphql"
    )
    given = {"partner": invited["partner"]["id"]}
    assert await both.air.refused("rotateRemotePartnerSecret", **given) == "AGREEMENT_STATE"
