"""Relay ids: the type and the key of a node, opaque to clients."""

from base64 import urlsafe_b64decode
from uuid import UUID

import strawberry

from loyalty.errors import Code, Refused
from loyalty.ids import public_id


def node_id(kind: str, ident: UUID) -> strawberry.ID:
    return strawberry.ID(public_id(kind, ident))


def read_node_id(text: str) -> tuple[str, UUID] | None:
    """Type and key of a node; None for what is not one of our ids."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode()
        kind, _, ident = raw.partition(":")
        return kind, UUID(ident)
    except ValueError:
        return None


def uuid_of(text: str, kind: str, *, field: str) -> UUID:
    """The key of a node of one type.

    :raises Refused: NOT_FOUND for anything else, the same as for a node that is not there
    """
    found = read_node_id(text)
    if found is None or found[0] != kind:
        raise Refused(Code.NOT_FOUND, f"there is no such {kind.lower()}", field=field)
    return found[1]
