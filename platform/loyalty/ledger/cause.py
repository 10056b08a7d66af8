"""Why value moves, and the terms of the lots that it opens."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class Cause(NamedTuple):
    """Why value moves: the fact, its instant, and whose rule says so."""

    fact_id: UUID
    at: datetime
    program_id: UUID | None = None
    rule: str | None = None
    label: str | None = None


class Terms(NamedTuple):
    """The terms of a new lot."""

    accounting_class: str
    available_at: datetime
    settles_at: datetime | None = None
    expires_at: datetime | None = None
    cost: int | None = None
