"""Speaking to a brand of another installation: a field of its API, signed, as its partner."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from loyalty.ids import new_id
from loyalty.outside import Answered, Unreached, Way
from loyalty_tenants import peer_calls
from loyalty_tenants.peers import Peer

SECONDS = 2.5  # within what an operation may take here
SECONDS_PATIENT = 4.0  # a worker, which asks again
UNHEARD = 401


class Silence(Exception):
    """What came of a call is not known: ask again, the same."""


async def say(
    way: Way, peer: Peer, field: str, document: str, given: Mapping[str, Any] | None, *,
    now: datetime, seconds: float = SECONDS,
) -> Any:  # fmt: skip
    """The payload of one mutation or query there, its userErrors among it.

    :raises Silence: nobody answered, or not what was asked
    """
    body = orjson.dumps({"query": document, "variables": dict(given or {})})
    answer = await _post(way, peer, body, now, seconds)
    if answer.status == UNHEARD and peer.next_secret is not None:
        # It has the new secret and renewed; our half was not told, or lost the answer.
        answer = await _post(way, replace(peer, secret=peer.next_secret), body, now, seconds)
    try:
        told = orjson.loads(answer.body)
        payload = told["data"][field] if answer.status == 200 else None
    except (ValueError, LookupError, TypeError):
        payload = None
    if payload is None:
        raise Silence(f"answered {answer.status}: {_why(answer.body)}"[:300])
    return payload


async def _post(way: Way, peer: Peer, body: bytes, now: datetime, seconds: float) -> Answered:
    token = peer_calls.sign(peer, body, new_id(), now)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    try:
        return await way.post(peer.url, headers=headers, content=body, seconds=seconds)
    except Unreached as unreached:
        raise Silence(str(unreached)) from None


def _why(body: bytes) -> str:
    """What the other side complains of, for the log of ours."""
    try:
        errors = orjson.loads(body)["errors"]
        return ", ".join(str(one["extensions"]["code"]) for one in errors)
    except (ValueError, LookupError, TypeError):
        return "not what was asked"
