"""Why value moves, and the terms of the lots that it opens."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why value moves: the fact, its instant, and whose rule says so."""

    fact_id: UUID
    at: datetime
    program_id: UUID | None = None
    rule: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of a new lot."""

    accounting_class: str
    available_at: datetime
    settles_at: datetime | None = None
    expires_at: datetime | None = None
    cost: int | None = None
