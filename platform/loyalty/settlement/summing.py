"""What rules read of their program's counters: sums over windows, or bucket by bucket."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from loyalty.counters import bucket_of, kept_since, stored_as, window_of
from loyalty.kept import Noted
from loyalty.plugin import Counter, Scope
from loyalty.plugin_set import Turn
from loyalty.settlement.need_counter import NeedCounter
from loyalty.settlement.settling import Settling


def counters_of(s: Settling, turn: Turn, *, after: bool) -> Mapping[str, int]:
    """A program's counters as they were before the root fact, or `after` it."""
    return Noted(_Sums(s, turn.program.slug, turn.counters, s.at, after))


def sums_at(s: Settling, turn: Turn, at: datetime) -> Mapping[str, int]:
    """The same as before the root fact, over the windows of another instant; with the counters of
    the version that was in force then, as far as they were kept."""
    then, counters = turn.program.at(at), turn.counters
    if then is not None and then is not turn.version:
        counters = {**s.batch.plugins.counters_by_name(turn.plugin, then), **counters}
    return _Sums(s, turn.program.slug, counters, at, False, later=True)


class _Sums(Mapping[str, int]):
    """Each summed when it is asked for."""

    __slots__ = ("_after", "_at", "_counters", "_later", "_settling", "_slug")

    def __init__(
        self, s: Settling, slug: str, counters: Mapping[str, Counter], at: datetime, after: bool,
        *, later: bool = False,
    ) -> None:  # fmt: skip
        self._settling, self._slug, self._counters = s, slug, counters
        self._at, self._after, self._later = at, after, later  # whether what misses is loaded later

    def __getitem__(self, name: str) -> int:
        s, counter = self._settling, self._counters[name]
        if counter.kept_days:
            raise KeyError(name)
        subject = _subject(s, name, counter)
        stored = stored_as(self._slug, counter)
        since, before = window_of(counter, self._at, s.batch.setup.zone)
        try:
            found = s.batch.counter(stored, subject, (since, before))
        except KeyError:
            if not self._later:
                raise
            raise NeedCounter(subject, stored, since, before) from None
        if self._after:
            found += sum(delta for bucket, delta in _moved(s, stored) if since <= bucket < before)
        return found

    def __iter__(self) -> Iterator[str]:
        alone = self._settling.member is None
        return (
            name
            for name, counter in self._counters.items()
            if not (counter.kept_days or (alone and counter.scope is Scope.MEMBER))
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Buckets(Mapping[str, Sequence[tuple[datetime, int]]]):
    """The buckets of those counters that are kept so, in order, as (start, value)."""

    __slots__ = ("_after", "_settling", "_turn")

    def __init__(self, s: Settling, turn: Turn, *, after: bool) -> None:
        self._settling, self._turn, self._after = s, turn, after

    def __getitem__(self, name: str) -> Sequence[tuple[datetime, int]]:
        s, counter = self._settling, self._counters()[name]
        if not counter.kept_days:
            raise KeyError(name)
        stored = stored_as(self._turn.program.slug, counter)
        since = kept_since(counter, s.at, s.batch.setup.zone)
        rows = s.batch.buckets(stored, _subject(s, name, counter), since)
        sums: dict[datetime, int] = {}
        for bucket, value in [*rows, *(_moved(s, stored) if self._after else ())]:
            if bucket >= since:
                sums[bucket] = sums.get(bucket, 0) + value
        return sorted((bucket, value) for bucket, value in sums.items() if value)

    def __iter__(self) -> Iterator[str]:
        return (name for name, counter in self._counters().items() if counter.kept_days)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _counters(self) -> Mapping[str, Counter]:
        return self._turn.counters


def _subject(s: Settling, name: str, counter: Counter) -> UUID | None:
    if counter.scope is not Scope.MEMBER:
        return None
    if s.member is None:
        raise KeyError(name)
    return s.member.id


def _moved(s: Settling, stored: str) -> list[tuple[datetime, int]]:
    """By how much this settlement itself moved a counter, by bucket."""
    zone = s.batch.setup.zone
    return [
        (bucket_of(counter, at, zone), delta)
        for name, counter, at, delta in s.counts
        if name == stored
    ]
