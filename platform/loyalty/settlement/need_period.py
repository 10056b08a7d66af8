"""What a return meets where the sums of a period do not say what it earns: its purchases decide."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class Period(NamedTuple):
    """What a member bought in [since, before)."""

    member_id: UUID
    since: datetime
    before: datetime


class NeedPeriod(Exception):
    """The purchases of periods decide and were not loaded: the batch runs again with them."""

    def __init__(self, *periods: Period) -> None:
        super().__init__("; ".join(f"what {who} bought from {a} to {b}" for who, a, b in periods))
        self.periods = periods


class NotFirst(Exception):
    """What a batch wrote before is in no period yet: the request begins a batch of its own."""
