"""A batch that is as long as a history: what rules read of counters it has counted itself."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from loyalty.backtest.sums import Sums
from loyalty.ids import NIL
from loyalty.ledger.rows import ROW_FIELDS
from loyalty.settlement.batch import Batch

_NO_ROWS = (0,) * len(ROW_FIELDS)


@dataclass(slots=True, kw_only=True)
class Remembering(Batch):
    sums: Sums = field(default_factory=Sums)

    def counter(self, name: str, member_id: UUID | None, window: tuple[datetime, datetime]) -> int:
        return self.sums.sum(name, member_id or NIL, window)

    def buckets(
        self, name: str, member_id: UUID | None, since: datetime
    ) -> list[tuple[datetime, int]]:
        return self.sums.buckets(name, member_id or NIL, since)

    def count(self, name: str, member_id: UUID | None, bucket: datetime, delta: int) -> None:
        self.sums.add(self.book, name, member_id or NIL, bucket, delta)

    def settled(self) -> None:
        """One fact is through: what only the recorder needs of it is forgotten."""
        self.known.clear()
        self.made.clear()
        self.bought.clear()
        self.enrolled.clear()
        self.refs.clear()
        self.parked.clear()
        self.redemptions.clear()
        self.writes.clear()
        self.book.rows.cut_to(_NO_ROWS)
        self.book.stands()

    def known_as(self, new: UUID, recorded: UUID) -> None:
        """A member who was enrolled once more goes by the id that history has for them."""
        self.members.pop(new, None)
        if (traits := self.traits.pop(new, None)) is not None:
            self.traits.setdefault(recorded, []).extend(traits)
        for program in self.setup.programs:
            if (rows := self.written.pop((program.id, new), None)) is not None:
                self.written.setdefault((program.id, recorded), []).extend(rows)
        self.sums.rename(new, recorded)
