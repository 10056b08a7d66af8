"""A recorded fact that may come back: its grants, and what was returned of it so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from loyalty.facts import Fact

WHOLE = ""  # the one share of a fact that has no lines


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowOn:
    """A durable fact that followed from the sale."""

    id: UUID
    kind: str
    member_id: UUID | None
    state: str
    due_at: datetime
    hop: int


@dataclass(slots=True, kw_only=True)
class Sale:
    """`grants` are the decision's grant rows; `taken` is by (index of the grant, line). `emitted`
    are the rows of the facts that were emitted at once in answer to it.

    `ended` says by index of the grant how much of what was taken back had reached its term, and
    `settled` are the grant rows of the returns themselves.
    """

    fact_id: UUID
    member_id: UUID
    fact: Fact
    grants: list[dict[str, Any]]
    emitted: Sequence[Mapping[str, Any]] = ()
    returned: Mapping[str, Fraction] = field(default_factory=dict)
    taken: Mapping[tuple[int, str], int] = field(default_factory=dict)
    ended: Mapping[int, int] = field(default_factory=dict)
    settled: Sequence[Mapping[str, Any]] = ()
    replaced_by: int | None = None  # the revision that stands in its place
    follow_ons: tuple[FollowOn, ...] = ()

    def with_return(self, body: Mapping[str, Any]) -> None:
        """Add what an earlier return's decision says."""
        returned, taken, ended = dict(self.returned), dict(self.taken), dict(self.ended)
        for line, part in body["returned"].items():
            returned[line] = returned.get(line, Fraction(0)) + Fraction(part)
        for index, line, wanted in body["taken"]:
            taken[index, line] = taken.get((index, line), 0) + wanted
        for index, amount in body.get("ended", ()):
            ended[index] = ended.get(index, 0) + amount
        self.returned, self.taken, self.ended = returned, taken, ended
        self.settled = (*self.settled, *body.get("grants", ()))
