"""Values that nobody can change, and so may be handed to many."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

_FROZEN = frozenset(
    {str, int, float, bool, bytes, type(None), date, datetime, time, timedelta, Decimal, UUID}
)


def is_frozen(coerced: Any) -> bool:
    """Whether a coerced value is frozen, but for the lists and dicts that a conversion copies."""
    kind = coerced.__class__
    if kind is list:
        return all(map(is_frozen, coerced))
    if kind is dict:
        return all(map(is_frozen, coerced.values()))
    return kind in _FROZEN or isinstance(coerced, Enum)
