"""Calls between two installations: each carries a token of its own, for its very body.

A token is good for a minute and for nothing but the bytes that it names. Whoever sends one again in
that minute asks the same once more, and what peers ask of each other does nothing twice.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import jwt

from loyalty_tenants.claims import BadToken, check_times
from loyalty_tenants.peers import Peer

ISSUER = "loyalty:peer"  # no slug and no address: nobody else signs under this name
AUDIENCE = "loyalty"
LIFETIME = timedelta(seconds=60)
_SIDES = {True: "asked", False: "answered"}
_JWS = jwt.PyJWS(algorithms=["HS256"])


def digest(body: bytes) -> str:
    return sha256(body).hexdigest()


def sign(peer: Peer, body: bytes, call_id: UUID, now: datetime) -> str:
    """The token of one call to a peer."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "tenant": peer.remote,
        "from": _SIDES[peer.asked],
        "body": digest(body),
        "jti": str(call_id),
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
    }
    return jwt.encode(claims, peer.secret, algorithm="HS256", headers={"kid": str(peer.id)})


class Verified(NamedTuple):
    """The digest that the body must have, when the token expires, and which secret signed it, by
    its digest: several are good while one is replaced."""

    body: str
    expires_at: datetime
    signed_by: str


def verify(
    token: str, claims: Mapping[str, Any], peer: Peer, now: datetime, leeway: timedelta
) -> Verified:
    """What a call's token says.

    :raises BadToken: for whatever reason
    """
    secret = _signed_with(token, peer, now)
    expires_at = check_times(claims, now, leeway)
    if expires_at > now + LIFETIME + leeway:
        raise BadToken("lives too long for a call")
    if claims.get("aud") != AUDIENCE or claims.get("from") != _SIDES[not peer.asked]:
        raise BadToken("made for another direction")
    body = claims.get("body")
    if not isinstance(body, str) or len(body) != 64:
        raise BadToken("names no body")
    return Verified(body, expires_at, signed_by=digest(secret))


def _signed_with(token: str, peer: Peer, now: datetime) -> bytes:
    """Which of the secrets that are good now."""
    why = ""
    for secret in peer.heard(now):
        try:
            _JWS.decode_complete(token, secret, algorithms=["HS256"])
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            why = type(error).__name__
        else:
            return secret
    raise BadToken(f"signature: {why}")
