"""Whose account each member's unit is kept in: answered once for a batch, before anything locks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from loyalty.owners import Holder, Owner
from loyalty.plugin import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """`members` is whom the batch asked about; None: nobody was asked, all keep their own."""

    members: frozenset[UUID] | None = None
    answers: Mapping[Question, Owner] = field(default_factory=dict)
    disputed: frozenset[Question] = frozenset()

    def holder(self, member_id: UUID, unit: str) -> Holder:
        """Whose account it is.

        :raises ValueError: two programs say different owners
        """
        if not self.answers and not self.disputed:
            return member_id
        if (member_id, unit) in self.disputed:
            raise ValueError(f"two programs name different owners for {unit} of member {member_id}")
        return self.answers.get((member_id, unit), member_id)

    def misses(self, members: Iterable[UUID]) -> bool:
        """Whether it was not asked about somebody: a name changed hands before the lock."""
        return self.members is not None and not self.members.issuperset(members)


EVERYBODYS_OWN = Ownership()
