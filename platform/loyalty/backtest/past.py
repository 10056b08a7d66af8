"""A recorded fact, as a back-test lets it happen once more."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.facts import Fact, FactKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """`sale_id` is what a return took back, `undone` how many returns a purchase has in store.

    `decision` is what was decided then; read only where a back-test is compared with it.
    """

    id: UUID
    key: FactKey
    fact: Fact
    member_id: UUID | None
    recorded_at: datetime
    sale_id: UUID | None = None
    undone: int = 0
    decision: Mapping[str, Any] | None = None
