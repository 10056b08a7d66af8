"""Signed calls: each for its body, for a minute, for one direction; all else is nobody's."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from loyalty.ids import new_id
from loyalty_tenants import peer_calls
from loyalty_tenants.peers import Peer, peer_named, read_invitation
from loyalty_tenants.principal import Role
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

DAY = """query($agreement: ID!) { partnerDay(agreement: $agreement, day: "2026-01-01") {
  exchanges } }"""


async def _peer(both: Elsewhere) -> Peer:
    """What the airline knows of the hotel."""
    api = both.air.brand.server.services.api
    async with api.database.tenant(both.air.brand.tenant_id, read_only=True) as connection:
        found = await peer_named(connection, "inn")
    assert found is not None
    return found


async def _call(both: Elsewhere, token: str, body: bytes) -> tuple[int, Any]:
    answer = await both.air.brand.http.post(
        f"{both.hotel.brand.server.url}/graphql", content=body,
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
    )  # fmt: skip
    return answer.status_code, answer.json()


def _body(query: str, **variables: Any) -> bytes:
    return orjson.dumps({"query": query, "variables": variables})


@pytest.mark.parametrize(
    "wrong", ["body", "late", "early", "direction", "secret", "tenant", "key", "nothing"]
)
async def test_only_what_was_signed_is_heard(both: Elsewhere, wrong: str) -> None:
    peer, now = await _peer(both), both.clock.now()
    body = _body(DAY, agreement=both.agreement)
    signed = _body(DAY, agreement=documents.ghost()) if wrong == "body" else body
    if wrong in ("late", "early"):
        now += timedelta(minutes=-3 if wrong == "late" else 3)
    if wrong == "direction":  # as if the hotel's own call came back to it
        peer = replace(peer, asked=not peer.asked)
    if wrong == "secret":
        peer = replace(peer, secret=bytes(32))
    if wrong == "tenant":
        peer = replace(peer, remote=both.air.brand.slug)
    if wrong == "key":
        peer = replace(peer, id=new_id())

    status, answer = await _call(both, peer_calls.sign(peer, signed, new_id(), now), body)

    if wrong == "nothing":
        assert (status, answer) == (200, {"data": {"partnerDay": {"exchanges": 0}}})
    else:
        assert (status, answer["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")


async def test_a_partner_elsewhere_sees_its_own_agreements_alone(both: Elsewhere) -> None:
    """Not what an outside brand sees, nor another partner's; nothing of members."""
    await both.air.give("ann", 300)
    done = await both.exchange(both.air, "ann", "300")
    peer, now = await _peer(both), both.clock.now()
    for query, variables in (
        (documents.AGREEMENT_OF, {"id": both.agreement}),
        (documents.LINES_OF, {"agreement": both.agreement}),
        (documents.STATEMENT_OF, {"agreement": both.agreement, "period": "2026-01"}),
        (documents.OWN, {}),
        (documents.BALANCE, {"name": "bob"}),
    ):
        body = _body(query, **variables)
        _, answer = await _call(both, peer_calls.sign(peer, body, new_id(), now), body)
        codes = {error["extensions"]["code"] for error in answer["errors"]}
        assert codes == {"FORBIDDEN"}, (query, answer)

    other = await both.hotel.brand.admin.run(
        documents.MUTATIONS["connectRemotePartner"],
        input={"name": "rail", "url": "http://127.0.0.1:1/graphql", "tenant": "rail"},
    )
    ident, secret = read_invitation(other["connectRemotePartner"]["invitation"])
    stranger = replace(peer, id=ident, secret=secret, asked=False)
    given = {"exchange": done["id"], "at": now.isoformat(), "agreement": both.agreement}
    told = {}
    for name, kind, shown, more in (
        ("voidExchange", "VoidExchangeInput", "state", given),
        ("takeExchangeBack", "TakeExchangeBackInput", "at", {"exchange": done["id"]}),
        ("endPartnership", "PartnershipInput", "agreement { id }", {"agreement": both.agreement}),
        ("confirmExchanges", "ConfirmExchangesInput", "exchanges", {"exchanges": [done["id"]]}),
    ):
        query = documents.mutation(name, kind, shown)
        body = _body(query, input=more)
        _, answer = await _call(both, peer_calls.sign(stranger, body, new_id(), now), body)
        payload = answer["data"][name]
        told[name] = [error["code"] for error in payload["userErrors"]] or payload["exchanges"]
    assert told == {
        "voidExchange": ["NOT_FOUND"], "takeExchangeBack": ["NOT_FOUND"],
        "endPartnership": ["NOT_FOUND"], "confirmExchanges": [],
    }  # fmt: skip
    assert await both.states(done["id"]) == ("CREDITED", "CREDITED")


async def test_no_key_speaks_as_a_partner_elsewhere(both: Elsewhere) -> None:
    key = both.hotel.brand.token(Role.PARTNER, "inn", ["partner:remote", "partner:self"])
    query = documents.mutation("confirmExchanges", "ConfirmExchangesInput", "exchanges")
    assert [code for code, _ in await key.refused(query, input={"exchanges": []})] == ["FORBIDDEN"]


async def test_an_invitation_is_good_for_whom_it_was_for(both: Elsewhere) -> None:
    """Once both have met, the same invitation is no way in for a third brand."""
    invited = await both.air.done(
        "connectRemotePartner", name="rail", tenant="rail",
        url=f"{both.hotel.brand.server.url}/graphql",
    )  # fmt: skip
    given = {
        "url": f"{both.air.brand.server.url}/graphql", "tenant": both.air.brand.slug,
        "invitation": invited["invitation"],
    }  # fmt: skip
    assert await both.hotel.refused("connectRemotePartner", name="aa", **given) == "NOT_FOUND"
    for name, more, code in (
        ("wings", {**given, "invitation": "loyp_x"}, "BAD_USER_INPUT"),
        ("Wings!", given, "BAD_USER_INPUT"),
        ("bb", {**given, "url": "http://169.254.169.254/graphql"}, "BAD_USER_INPUT"),
        ("bb", {**given, "url": "ftp://127.0.0.1/"}, "BAD_USER_INPUT"),
    ):
        assert await both.hotel.refused("connectRemotePartner", name=name, **more) == code
    data = await both.hotel.brand.admin.run(documents.PEERS)
    assert [one["name"] for one in data["remotePartners"]] == ["wings"]


async def test_whom_agreements_hold_cannot_be_left(both: Elsewhere) -> None:
    data = await both.air.brand.admin.run(documents.PEERS)
    (partner,) = data["remotePartners"]
    given = {"partner": partner["id"]}
    assert await both.air.refused("endRemotePartner", **given) == "AGREEMENT_STATE"
    await both.air.done("endPartnership", agreement=both.agreement)
    seen = await both.hotel.brand.admin.run(documents.AGREEMENT_OF, id=both.agreement)
    assert seen["partnerAgreement"]["state"] == "ENDED"
    ended = await both.air.done("endRemotePartner", **given)
    assert ended["partner"]["status"] == "ENDED"
    body = _body(DAY, agreement=both.agreement)
    api = both.hotel.brand.server.services.api
    async with api.database.tenant(both.hotel.brand.tenant_id, read_only=True) as connection:
        peer = await peer_named(connection, "wings")
    assert peer is not None
    answer = await both.air.brand.http.post(
        f"{both.air.brand.server.url}/graphql", content=body,
        headers={
            "authorization": f"Bearer {peer_calls.sign(peer, body, new_id(), both.clock.now())}",
            "content-type": "application/json",
        },
    )  # fmt: skip
    assert answer.status_code == 401
