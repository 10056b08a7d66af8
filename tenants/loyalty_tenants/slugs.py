"""Slugs: the short names of tenants and programs in addresses, rule ids and tokens."""

import re
from uuid import UUID

from loyalty.errors import Code, Refused

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,39}", re.ASCII)

# Tokens of operators are issued by "loyalty"; tokens that a tenant signs are issued by its slug.
RESERVED = frozenset({"loyalty"})


def is_slug(text: str) -> bool:
    return _SLUG.fullmatch(text) is not None


def _looks_like_id(slug: str) -> bool:
    """A tenant is named by slug or id in the same place: one must not pass for the other."""
    try:
        return str(UUID(slug)) == slug
    except ValueError:
        return False


def check_slug(slug: str, *, field: str = "slug") -> str:
    """The slug itself.

    :raises Refused: BAD_USER_INPUT with the field
    """
    if not is_slug(slug):
        raise Refused(
            Code.BAD_USER_INPUT,
            "use 2 to 40 of the characters a-z, 0-9 and -, not beginning with -",
            field=field,
        )
    if slug in RESERVED or _looks_like_id(slug):
        raise Refused(Code.BAD_USER_INPUT, f"{slug!r} is reserved: choose another", field=field)
    return slug


def check_name(name: str, *, longest: int = 120, field: str = "name") -> str:
    """A name people read, without blanks around it.

    :raises Refused: BAD_USER_INPUT with the field
    """
    name = name.strip()
    if not 1 <= len(name) <= longest or not name.isprintable():
        raise Refused(
            Code.BAD_USER_INPUT, f"must be 1 to {longest} printable characters", field=field
        )
    return name
