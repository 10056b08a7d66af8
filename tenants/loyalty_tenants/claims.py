"""Reads a token's parts strictly, and checks its claims by our rules at a given instant."""

import json
from base64 import urlsafe_b64decode
from binascii import Error as BadBase64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from loyalty.given_id import is_seen
from loyalty_tenants import scopes
from loyalty_tenants.principal import Role

TOKEN_LENGTH_MAX = 8 * 1024
LEEWAY_MAX = timedelta(seconds=60)
LIFETIME_MAX = timedelta(days=30)  # a token cannot be revoked one by one
SUBJECT_LENGTH_MAX = 200
KID_LENGTH_MAX = 200
SCOPES_MAX = 64
TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})

# Claims that only an id token carries: it says who logged in, not what may be done here.
ID_TOKEN_CLAIMS = frozenset({"nonce", "at_hash", "c_hash", "s_hash"})

# Headers that would let a token say how it is to be verified.
STEERING_HEADERS = frozenset({"crit", "b64", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "zip"})


class BadToken(Exception):
    """The token is not acceptable. The reason is for logs; callers are told nothing."""


def read_parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and payload of a compact token; nothing is verified yet.

    :raises BadToken: it is too large, or not three parts of strict JSON
    """
    if len(token) > TOKEN_LENGTH_MAX:
        raise BadToken("too large")
    parts = token.split(".")
    if len(parts) != 3 or not all(parts):
        raise BadToken("not three parts")
    return _object(parts[0]), _object(parts[1])


def check_header(header: Mapping[str, Any]) -> tuple[str, str | None]:
    """The algorithm and kid that a header names.

    :raises BadToken: it steers its own verification, or is no access token's
    """
    if STEERING_HEADERS & header.keys():
        raise BadToken("a header that is not supported")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise BadToken("not an access token")
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str):
        raise BadToken("no algorithm")
    if kid is not None and (not isinstance(kid, str) or not 1 <= len(kid) <= KID_LENGTH_MAX):
        raise BadToken("a bad kid")
    return algorithm, kid


def check_times(claims: Mapping[str, Any], now: datetime, leeway: timedelta) -> datetime:
    """When the token expires.

    :raises BadToken: it expired, lives too long, or is not valid yet
    """
    at, slack = now.timestamp(), leeway.total_seconds()
    expires = _seconds(claims, "exp")
    if expires is None or expires <= at - slack:
        raise BadToken("expired")
    if expires > at + LIFETIME_MAX.total_seconds() + slack:
        raise BadToken("lives too long")
    for name in ("nbf", "iat"):
        instant = _seconds(claims, name)
        if instant is not None and instant > at + slack:
            raise BadToken(f"not valid yet ({name})")
    return datetime.fromtimestamp(expires, UTC)


def check_identity(claims: Mapping[str, Any], audience: str) -> tuple[Role, str, frozenset[str]]:
    """Role, subject and scopes.

    :raises BadToken: made for somebody else, or one of them is missing or malformed
    """
    if claims.get("aud") != audience:
        raise BadToken("another audience")
    if ID_TOKEN_CLAIMS & claims.keys():
        raise BadToken("an id token")
    subject, role = claims.get("sub"), claims.get("role")
    if not isinstance(subject, str) or not _names_somebody(subject):
        raise BadToken("no subject")
    if not isinstance(role, str) or role not in Role.__members__:
        raise BadToken("no role")
    return Role(role), subject, scopes.granted(Role(role), _scopes(claims.get("scopes")))


def _scopes(value: Any) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > SCOPES_MAX:
        raise BadToken("scopes are not a list")
    if not all(isinstance(scope, str) for scope in value):
        raise BadToken("a scope is not a text")
    return value


def _seconds(claims: Mapping[str, Any], name: str) -> int | None:
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if type(value) is not int:  # a bool, a float, a text
        raise BadToken(f"{name} is not a whole number")
    return value


def _object(part: str) -> dict[str, Any]:
    try:
        raw = urlsafe_b64decode(part + "=" * (-len(part) % 4))
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except (BadBase64, ValueError, RecursionError) as error:
        raise BadToken(f"malformed: {type(error).__name__}") from None
    if not isinstance(value, dict):
        raise BadToken("not an object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # Two readers could pick different ones of the two.
        raise ValueError("a key is there twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _names_somebody(subject: str) -> bool:
    """Whether it could be an external id: of some length, with nothing that is not seen."""
    return 1 <= len(subject) <= SUBJECT_LENGTH_MAX and is_seen(subject)
