"""Addresses of servers, looked at before any library does.

A password with an unescaped `/`, `#` or `?` ends the address early, and a piece of it is taken for
a host and a port: libraries then quote it in their errors. So mistakes are told here, by what is
wrong and without a piece of the address.
"""

import re
from collections.abc import Sequence

POSTGRES = ("postgresql", "postgres")
REDIS = ("redis", "rediss", "redis+cluster", "rediss+cluster", "unix")
ESCAPE = "characters such as / ? # @ : in a password are written percent-encoded"
_PLACE = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^:\[\]]*)(:\d{0,5})?")


def mistake_in(url: str, schemes: Sequence[str]) -> str | None:
    """What is wrong with the form of an address, in words that repeat nothing of it."""
    scheme, found, rest = url.partition("://")
    if not found or scheme not in schemes:
        return f"it is no address that begins with {' or '.join(f'{one}://' for one in schemes)}"
    authority, after = _split(rest)
    credentials, at, places = authority.rpartition("@")
    if not at and ":" in authority and "@" in after:
        return f"it ends within its password: {ESCAPE}"
    if "@" in credentials:
        return f"it holds more than one @: {ESCAPE}"
    if not all(_PLACE.fullmatch(place) for place in places.split(",")):
        return f"its host and port are not to be made out: {ESCAPE}"
    return None


def _split(rest: str) -> tuple[str, str]:
    """The authority (user, password, hosts, ports), and what comes after it."""
    end = re.search(r"[/?#]", rest)
    at = len(rest) if end is None else end.start()
    return rest[:at], rest[at:]
