"""A recorded fact that may come back: its grants, and what was returned of it so far."""

from collections.abc import Iterable, Mapping, Sequence
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
    `borne` how much of it was spent and not owed. `settled` are the grant rows of the returns
    themselves. `ends` says by lot how much its end took; it is known where a period is looked up.
    """

    fact_id: UUID
    member_id: UUID
    fact: Fact
    grants: list[dict[str, Any]]
    emitted: Sequence[Mapping[str, Any]] = ()
    returned: Mapping[str, Fraction] = field(default_factory=dict)
    taken: Mapping[tuple[int, str], int] = field(default_factory=dict)
    ended: Mapping[int, int] = field(default_factory=dict)
    borne: Mapping[int, int] = field(default_factory=dict)
    settled: Sequence[Mapping[str, Any]] = ()
    ends: Mapping[str, int] = field(default_factory=dict)
    replaced_by: int | None = None  # the revision that stands in its place
    follow_ons: tuple[FollowOn, ...] = ()

    def with_return(self, body: Mapping[str, Any]) -> None:
        """Add what an earlier return's decision says."""
        returned, taken = dict(self.returned), dict(self.taken)
        for line, part in body["returned"].items():
            returned[line] = returned.get(line, Fraction(0)) + Fraction(part)
        for index, line, wanted in body["taken"]:
            taken[index, line] = taken.get((index, line), 0) + wanted
        self.returned, self.taken = returned, taken
        self.ended = added(self.ended, body.get("ended", ()))
        self.borne = added(self.borne, body.get("borne", ()))
        self.settled = (*self.settled, *body.get("grants", ()))


def added(before: Mapping[int, int], more: Iterable[tuple[int, int]]) -> dict[int, int]:
    """By index of the grant."""
    found = dict(before)
    for index, amount in more:
        found[index] = found.get(index, 0) + amount
    return found
