"""Identifiers: time-ordered ones for what happens, derived ones for what can be named."""

from base64 import urlsafe_b64encode
from functools import lru_cache
from uuid import UUID, uuid5

from uuid_utils.compat import uuid7

NIL = UUID(int=0)


def new_id() -> UUID:
    """A UUIDv7: later ids sort behind earlier ones, so keys stay dense."""
    return uuid7()


@lru_cache(maxsize=65_536)
def account_id(tenant: UUID, owner_kind: str, owner: UUID, unit: str, kind: str) -> UUID:
    """An account is named by whose it is, its unit and its kind, so it needs no look-up."""
    return uuid5(tenant, f"{owner_kind}:{owner}:{unit}:{kind}")


def public_id(kind: str, ident: UUID) -> str:
    """How the world outside names a thing: its type and key, opaque and unique everywhere."""
    return urlsafe_b64encode(f"{kind}:{ident}".encode()).rstrip(b"=").decode()
