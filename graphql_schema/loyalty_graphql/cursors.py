"""Cursors: a place in a list, which only we can name and only its own tenant and field can use."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

import orjson

from loyalty.errors import Code, Refused

KEY_LENGTH_MIN = 32
CURSOR_LENGTH_MAX = 1_024
_MAC_LENGTH = 16

Position = tuple[str | int | None, ...]
"""The values of the sort key at a row, such as `("2026-03-01T00:00:00Z", "0190...")`."""


class Cursors:
    """Issues and reads cursors with one secret key.

    Authenticated rather than encrypted: a position holds nothing that its row does not show.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_LENGTH_MIN:
            raise ValueError(f"the key for cursors needs at least {KEY_LENGTH_MIN} bytes")
        self._key = key

    def issue(self, tenant: UUID, field: str, position: Sequence[str | int | None]) -> str:
        """The cursor of a row in the list `field` (such as `Query.members`) of a tenant."""
        payload = orjson.dumps(list(position))
        sealed = self._mac(tenant, field, payload) + payload
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def read(self, tenant: UUID, field: str, cursor: str, *, argument: str = "after") -> Position:
        """The position of a cursor.

        :raises Refused: BAD_USER_INPUT for one that we did not issue for this tenant and field
        """
        try:
            if len(cursor) > CURSOR_LENGTH_MAX:
                raise ValueError("too long")
            sealed = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except (ValueError, Error):
            raise _foreign(argument) from None
        mac, payload = sealed[:_MAC_LENGTH], sealed[_MAC_LENGTH:]
        if not hmac.compare_digest(mac, self._mac(tenant, field, payload)):
            raise _foreign(argument)
        return tuple(orjson.loads(payload))

    def _mac(self, tenant: UUID, field: str, payload: bytes) -> bytes:
        # Length first, or field and payload could lend each other characters.
        named = field.encode()
        message = tenant.bytes + len(named).to_bytes(4, "big") + named + payload
        return hmac.digest(self._key, message, sha256)[:_MAC_LENGTH]


def _foreign(argument: str) -> Refused:
    return Refused(
        Code.BAD_USER_INPUT,
        "pass a cursor that this very list gave out, unchanged",
        field=argument,
    )
