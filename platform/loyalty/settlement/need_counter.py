"""What a return meets whose purchase was counted in a period that nobody could know before."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class CounterWindow(NamedTuple):
    """A counter as it is stored, of a member (None: of the tenant), over [since, before)."""

    member_id: UUID | None
    name: str
    since: datetime
    before: datetime


class NeedCounter(Exception):
    """A counter decides that was not loaded: the batch runs again with it."""

    def __init__(
        self, member_id: UUID | None, name: str, since: datetime, before: datetime
    ) -> None:
        super().__init__(f"{name} of {member_id} from {since} to {before}")
        self.window = CounterWindow(member_id, name, since, before)
