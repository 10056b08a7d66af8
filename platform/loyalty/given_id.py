"""Ids that clients bring: which texts may name something for ever.

Two ids that look alike and are not is how points end up on nobody's card. So an id holds nothing
that is not seen: no control or formatting characters (of no width, of direction), no unassigned or
private ones, no blank but the plain space, and none around it. What holds to that is kept byte for
byte as it came: nothing is trimmed, folded or normalised, for the sender compares it with its own.
"""

import re
from collections.abc import Iterator

from loyalty.errors import Code, Refused
from loyalty.facts import (
    ActivityRecorded,
    Fact,
    MemberEnrolled,
    PurchaseRecorded,
    PurchaseReversed,
)

ID_MAX = 200
SOURCE_MAX = 64

# Letters, marks and symbols by their category, and yet nothing is seen of them: fillers, joiners,
# variation selectors, the empty braille cell.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)


def is_seen(text: str) -> bool:
    """Whether every character of the text is seen, and no blank is around it."""
    return text.isprintable() and text == text.strip() and _UNSEEN.search(text) is None


def check_id(text: str, *, field: str, shortest: int = 1, longest: int = ID_MAX) -> str:
    """The id itself.

    :raises Refused: BAD_USER_INPUT with the field
    """
    if not shortest <= len(text) <= longest:
        raise Refused(
            Code.BAD_USER_INPUT, f"must have {shortest} to {longest} characters", field=field
        )
    if not is_seen(text):
        raise Refused(
            Code.BAD_USER_INPUT,
            "holds characters that are not seen (blanks around it, control characters, characters "
            "of no width or of direction): send the id without them",
            field=field,
        )
    return text


def check_ids(fact: Fact) -> None:
    """Check every id that a fact from outside names.

    :raises Refused: BAD_USER_INPUT with the field
    """
    for field, text in _ids(fact):
        check_id(text, field=field, longest=SOURCE_MAX if field in ("source", "type") else ID_MAX)


def _ids(fact: Fact) -> Iterator[tuple[str, str]]:
    if fact.member is not None and fact.member.external_id is not None:
        yield "member.externalId", fact.member.external_id
    if fact.member is not None and fact.member.identifier is not None:
        yield "member.identifier", fact.member.identifier
    match fact:
        case MemberEnrolled():
            yield "externalId", fact.external_id
            yield from ((f"identifiers.{i}", text) for i, text in enumerate(fact.identifiers))
        case PurchaseRecorded():
            yield from (("source", fact.source), ("externalId", fact.external_id))
            yield from ((f"lines.{i}.id", line.id) for i, line in enumerate(fact.lines))
        case PurchaseReversed():
            yield from (("source", fact.source), ("returnId", fact.return_id))
            yield "purchaseExternalId", fact.purchase_external_id
            yield from ((f"lines.{i}.id", line.id) for i, line in enumerate(fact.lines))
        case ActivityRecorded():
            yield from (("source", fact.source), ("externalId", fact.external_id))
            yield "type", fact.type
