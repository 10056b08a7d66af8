"""The text of an API key: `loy_live_<id>_<secret><check>`.

The id finds the key, the secret proves it; the check tells a mistyped key, and lets scanners of
source code recognise one, without asking a database.
"""

import re
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from zlib import crc32

PREFIX = "loy_live_"
ID_LENGTH = 16
SECRET_BYTES = 32
SECRET_LENGTH = 43  # 32 bytes in base 62
CHECK_LENGTH = 6
LENGTH = len(PREFIX) + ID_LENGTH + 1 + SECRET_LENGTH + CHECK_LENGTH

_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KEY = re.compile(
    rf"{PREFIX}(?P<id>[a-z2-7]{{{ID_LENGTH}}})_"
    rf"(?P<secret>[0-9A-Za-z]{{{SECRET_LENGTH}}})(?P<check>[0-9A-Za-z]{{{CHECK_LENGTH}}})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class KeyText:
    """A well-formed key; whether it is anybody's is another question."""

    prefix: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        body = f"{PREFIX}{self.prefix}_{self.secret}"
        return body + _base62(crc32(body.encode()), CHECK_LENGTH)

    @property
    def hash(self) -> bytes:
        """What is stored of it. The secret is random, so a plain hash cannot be guessed back."""
        return sha256(self.secret.encode()).digest()


def draw_key() -> KeyText:
    prefix = "".join(secrets.choice(_ID_ALPHABET) for _ in range(ID_LENGTH))
    drawn = int.from_bytes(secrets.token_bytes(SECRET_BYTES), "big")
    return KeyText(prefix, _base62(drawn, SECRET_LENGTH))


def is_key(text: str) -> bool:
    """Whether a credential means to be an API key."""
    return text.startswith(PREFIX)


def read_key(text: str) -> KeyText | None:
    """The parts of a key; None where it is not one, or was mistyped."""
    match = _KEY.fullmatch(text)
    if match is None:
        return None
    key = KeyText(match["id"], match["secret"])
    return key if key.text == text else None


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
