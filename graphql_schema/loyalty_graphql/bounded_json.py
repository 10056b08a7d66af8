"""How large a piece of JSON may be that a client hands us to keep."""

from graphql import GraphQLError

DEPTH_MAX = 8
ENTRIES_MAX = 100
TEXT_MAX = 4_096
NAMES_MAX = 4_096


def check_json(value: object) -> None:
    """Do nothing, or say which bound is passed.

    :raises GraphQLError: too deep, too many entries, too long, or characters that cannot be kept
    """
    names = _measure(value, 1)
    if names > NAMES_MAX:
        raise GraphQLError(f"the names in a JSON value have at most {NAMES_MAX} characters in all")


def _measure(value: object, depth: int) -> int:
    """The characters of all names in it."""
    match value:
        case str():
            _check_text(value)
            return 0
        case dict() | list() if depth > DEPTH_MAX:
            raise GraphQLError(f"a JSON value is at most {DEPTH_MAX} levels deep")
        case dict() | list() if len(value) > ENTRIES_MAX:
            raise GraphQLError(
                f"an object or list in a JSON value has at most {ENTRIES_MAX} entries"
            )
        case dict():
            for name in value:
                _check_text(name)
            return sum(len(name) + _measure(kept, depth + 1) for name, kept in value.items())
        case list():
            return sum(_measure(kept, depth + 1) for kept in value)
        case None | bool() | int() | float():
            return 0
    raise GraphQLError("not a JSON value")


def _check_text(text: str) -> None:
    if len(text) > TEXT_MAX:
        raise GraphQLError(f"a string in a JSON value has at most {TEXT_MAX} characters")
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
