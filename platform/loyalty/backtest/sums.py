"""Counters of a whole history in memory: a sum per bucket, and windows over them."""

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from loyalty.counters import ALWAYS
from loyalty.ledger.undo import UndoLog


@dataclass(slots=True)
class Series:
    """One counter of one subject: its buckets in their order, and the sum of all."""

    values: dict[datetime, int] = field(default_factory=dict)
    order: list[datetime] = field(default_factory=list)
    total: int = 0

    def add(self, log: UndoLog, bucket: datetime, delta: int) -> None:
        if bucket not in self.values:
            self._place(bucket)
        log.put(self.values, bucket, self.values.get(bucket, 0) + delta)
        log.change(self, "total", self.total + delta)

    def sum(self, window: tuple[datetime, datetime]) -> int:
        """The sum over the buckets of [since, before)."""
        if window == ALWAYS:
            return self.total
        since, before = (bisect_left(self.order, instant) for instant in window)
        return sum([self.values.get(bucket, 0) for bucket in self.order[since:before]])

    def since(self, instant: datetime) -> list[tuple[datetime, int]]:
        """The buckets from an instant on, in order."""
        first = bisect_left(self.order, instant)
        return [(bucket, self.values.get(bucket, 0)) for bucket in self.order[first:]]

    def _place(self, bucket: datetime) -> None:
        # A bucket that is undone stays in the order, where it counts for nothing.
        if not self.order or bucket > self.order[-1]:
            self.order.append(bucket)
        elif self.order[bisect_left(self.order, bucket)] != bucket:
            insort(self.order, bucket)


@dataclass(slots=True)
class Sums:
    """What is added goes through the undo log, so that a refused fact leaves no trace."""

    _series: dict[UUID, dict[str, Series]] = field(default_factory=dict)

    def add(self, log: UndoLog, name: str, subject: UUID, bucket: datetime, delta: int) -> None:
        named = self._series.setdefault(subject, {})
        if (series := named.get(name)) is None:
            series = named[name] = Series()
        series.add(log, bucket, delta)

    def sum(self, name: str, subject: UUID, window: tuple[datetime, datetime]) -> int:
        series = self._series.get(subject, {}).get(name)
        return 0 if series is None else series.sum(window)

    def totals(self, name: str) -> dict[UUID, int]:
        """The sum of all time of each subject of whom anything was counted."""
        return {
            subject: series.total
            for subject, named in self._series.items()
            if (series := named.get(name)) is not None
        }

    def buckets(self, name: str, subject: UUID, since: datetime) -> list[tuple[datetime, int]]:
        series = self._series.get(subject, {}).get(name)
        return [] if series is None else series.since(since)

    def becomes(self, name: str, other: str) -> None:
        """What was counted under a name is what another one holds from now on, of everybody."""
        for named in self._series.values():
            if (series := named.pop(name, None)) is not None:
                named[other] = series
            else:
                named.pop(other, None)

    def rename(self, old: UUID, new: UUID) -> None:
        """What was counted for one id belongs to another."""
        if (named := self._series.pop(old, None)) is not None:
            self._series.setdefault(new, {}).update(named)
