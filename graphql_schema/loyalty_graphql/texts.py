"""Names that clients give: checked before anything is kept under them."""

from loyalty.errors import Code, Refused
from loyalty_graphql.bounded_json import storable

NAME_MAX = 200
KEY_MIN, KEY_MAX = 8, 128


def name(text: str, *, field: str, longest: int = NAME_MAX) -> str:
    """A name as it was given, 1 to `longest` characters that can be stored.

    :raises Refused: BAD_USER_INPUT with the field
    """
    if not 1 <= len(text) <= longest or text != text.strip() or not storable(text):
        raise Refused(
            Code.BAD_USER_INPUT,
            f"must have 1 to {longest} characters, none of them NUL, no blanks around them",
            field=field,
        )
    return text


def idempotency_key(text: str) -> str:
    """A command's key: long enough not to be met by chance."""
    if not KEY_MIN <= len(text) <= KEY_MAX or not storable(text):
        raise Refused(
            Code.BAD_USER_INPUT,
            f"must have {KEY_MIN} to {KEY_MAX} characters: make a new UUID for each command",
            field="idempotencyKey",
        )
    return text


def bad(field: str, message: str) -> Refused:
    return Refused(Code.BAD_USER_INPUT, message, field=field)


def bad_amount(field: str, message: str) -> Refused:
    return Refused(Code.BAD_AMOUNT, message, field=field)
