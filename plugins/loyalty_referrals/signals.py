"""What may show that two members are one person: compared by keyed hashes, never kept in clear.

A hash is an HMAC-SHA-256 under a key of the tenant's own, so hashes of two tenants have nothing in
common and nobody without the key can try e-mail addresses against them.
"""

import hmac
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any

TEXT_MAX = 1_000
_SAME_DOMAIN = {"googlemail.com": "gmail.com"}


class Kind(StrEnum):
    """What of a member is compared."""

    EMAIL = "email"
    DEVICE = "device"
    PAYMENT = "payment"
    ADDRESS = "address"


def normalised(kind: Kind, given: str) -> str:
    """The text that is the same for what counts as the same; empty: there is nothing to compare.

    An e-mail address loses its case, the dots before the @ and what follows a plus, and its domain
    is in ASCII; an address loses everything but letters and digits.
    """
    text = unicodedata.normalize("NFKC", given[:TEXT_MAX]).strip()
    match kind:
        case Kind.EMAIL:
            local, at, domain = text.casefold().rpartition("@")
            if not at:
                return domain
            domain = _in_ascii(domain.strip().rstrip("."))
            mailbox = local.partition("+")[0].replace(".", "").strip()
            return f"{mailbox or local}@{_SAME_DOMAIN.get(domain, domain)}"
        case Kind.ADDRESS:
            return "".join(filter(str.isalnum, text.casefold()))
        case _:
            return text


def _in_ascii(domain: str) -> str:
    """A domain as mail servers ask for it: `bücher.example` is `xn--bcher-kva.example`."""
    try:
        return domain.encode("idna").decode()
    except UnicodeError:  # no domain, but the same text is the same all the same
        return domain


def hashed(key: bytes, given: Mapping[Kind, Any]) -> dict[str, str]:
    """By kind the hash of what was given; what is no text, or none after normalising, is left
    out."""
    found = {}
    for kind, value in given.items():
        if isinstance(value, str) and (text := normalised(kind, value)):
            found[kind.value] = hmac.new(key, f"{kind}\0{text}".encode(), sha256).hexdigest()
    return found
