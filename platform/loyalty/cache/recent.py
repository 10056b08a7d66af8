"""What Postgres said a moment ago, for while Redis says nothing.

Without a cache every reader of a balance would ask Postgres, and one balance that everybody looks
at would take all its connections. So a process asks for each at most once in 100 ms, and its
readers share the answer.
"""

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from loyalty.cache.cached_balance import CachedBalance
from loyalty.cache.flights import Want

KEPT_SECONDS = 0.1
KEPT_MAX = 10_000  # balances; more are not kept until these are over


class Recent:
    """`seconds` is a clock that only goes forward, in seconds."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._kept: dict[tuple[UUID, Want], tuple[float, CachedBalance]] = {}

    def keep(self, tenant: UUID, entries: Mapping[Want, CachedBalance]) -> None:
        now = self._seconds()
        if len(self._kept) + len(entries) > KEPT_MAX:
            self._kept = {key: kept for key, kept in self._kept.items() if kept[0] > now}
        if len(self._kept) + len(entries) <= KEPT_MAX:
            for want, entry in entries.items():
                self._kept[tenant, want] = now + KEPT_SECONDS, entry

    def of(self, tenant: UUID, wants: Iterable[Want]) -> dict[Want, CachedBalance]:
        """Those of `wants` that are not older."""
        now = self._seconds()
        found = {}
        for want in wants:
            if (kept := self._kept.get((tenant, want))) is not None and kept[0] > now:
                found[want] = kept[1]
        return found

    def drop(self, tenant: UUID, wants: Iterable[Want]) -> None:
        """Something was committed: what was said before is over."""
        if not self._kept:  # as long as Redis answers
            return
        for want in wants:
            self._kept.pop((tenant, want), None)
