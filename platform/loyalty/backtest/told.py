"""What one fact came to under one setup: what its rules granted, what it took back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

Grant = Mapping[str, Any]
"""A grant as a decision's body has it under `grants`."""


class Taken(NamedTuple):
    """What a return takes back of one line of a grant, whether or not the member still has it."""

    grant: Grant
    line: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`categories` are those of the purchase's lines (of the returned one, for a return)."""

    at: datetime
    member_id: UUID | None
    grants: Sequence[Grant] = ()
    taken: Sequence[Taken] = ()
    categories: Mapping[str, str | None]
