"""How large a piece of JSON may be that a client hands us to keep."""

from dataclasses import dataclass
from math import isfinite

from graphql import GraphQLError


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Levels, entries of an object or list, characters of a string and of all names together."""

    depth: int
    entries: int
    text: int
    names: int

    def __str__(self) -> str:
        return (
            f"at most {self.depth} levels deep, {self.entries:,} entries in an object or list, "
            f"{self.text:,} characters in a string, {self.names:,} characters in all names together"
        )


ATTRIBUTES = Bounds(depth=8, entries=100, text=4_096, names=4_096)
# A program's config: its own limit in bytes is checked where it is saved.
CONFIG = Bounds(depth=16, entries=1_000, text=4_096, names=65_536)
# What JSON is written with; a literal of a document may be any number.
_WHOLE = range(-(2**63), 2**64)


def check_json(value: object, bounds: Bounds = ATTRIBUTES) -> None:
    """Do nothing, or say which bound is passed.

    :raises GraphQLError: too deep, too many entries, too long, or characters or numbers that cannot
        be kept
    """
    names = _measure(value, 1, bounds)
    if names > bounds.names:
        raise GraphQLError(
            f"the names in a JSON value have at most {bounds.names} characters in all"
        )


def _measure(value: object, depth: int, bounds: Bounds) -> int:
    """The characters of all names in it."""
    match value:
        case str():
            _check_text(value, bounds)
            return 0
        case dict() | list() if depth > bounds.depth:
            raise GraphQLError(f"a JSON value is at most {bounds.depth} levels deep")
        case dict() | list() if len(value) > bounds.entries:
            raise GraphQLError(
                f"an object or list in a JSON value has at most {bounds.entries} entries"
            )
        case dict():
            for name in value:
                _check_text(name, bounds)
            return sum(
                len(name) + _measure(kept, depth + 1, bounds) for name, kept in value.items()
            )
        case list():
            return sum(_measure(kept, depth + 1, bounds) for kept in value)
        case None | bool():
            return 0
        case int() | float():
            if value not in _WHOLE if isinstance(value, int) else not isfinite(value):
                raise GraphQLError("a number in a JSON value is finite, a whole one has 64 bits")
            return 0
    raise GraphQLError("not a JSON value")


def _check_text(text: str, bounds: Bounds) -> None:
    if len(text) > bounds.text:
        raise GraphQLError(f"a string in a JSON value has at most {bounds.text} characters")
    if not storable(text):
        raise GraphQLError("NUL characters and lone surrogates cannot be kept")


def storable(text: str) -> bool:
    """Whether Postgres can keep the text: no NUL, and UTF-8 can write it."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
