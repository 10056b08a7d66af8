"""Texts that clients give: checked before anything is kept under them."""

from loyalty.errors import Code, Refused
from loyalty.given_id import ID_MAX, check_id
from loyalty_graphql.bounded_json import storable

KEY_MIN, KEY_MAX = 8, 128


def name(text: str, *, field: str, longest: int = ID_MAX) -> str:
    """An id as it was given: nothing in it that is not seen.

    :raises Refused: BAD_USER_INPUT with the field
    """
    return check_id(text, field=field, longest=longest)


def words(text: str, *, field: str, longest: int = ID_MAX) -> str:
    """What people read, in any script: 1 to `longest` characters that can be stored.

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
    """A command's key: long enough not to be met by chance.

    :raises Refused: BAD_USER_INPUT
    """
    if not KEY_MIN <= len(text) <= KEY_MAX:
        raise Refused(
            Code.BAD_USER_INPUT,
            f"must have {KEY_MIN} to {KEY_MAX} characters: make a new UUID for each command",
            field="idempotencyKey",
        )
    return check_id(text, field="idempotencyKey", longest=KEY_MAX)


def bad(field: str, message: str) -> Refused:
    return Refused(Code.BAD_USER_INPUT, message, field=field)


def bad_amount(field: str, message: str) -> Refused:
    return Refused(Code.BAD_AMOUNT, message, field=field)
