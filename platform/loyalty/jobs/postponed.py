"""What failed lately in this process and is left alone for a while, longer with every failure."""

from collections.abc import Hashable
from datetime import datetime, timedelta
from uuid import UUID

KNOWN_MAX = 50_000
PAUSE_MAX = timedelta(hours=1)
FORGOTTEN_AFTER = timedelta(hours=2)


def pause(failures: int) -> timedelta:
    """How long to wait after so many failures in a row: 2 s, 4 s, ... at most an hour."""
    return min(timedelta(seconds=2 ** min(failures, 12)), PAUSE_MAX)


class Postponed:
    """Failures by (tenant, kind of work, which one). In memory: another worker may try sooner."""

    def __init__(self) -> None:
        self._known: dict[tuple[UUID, str, Hashable], tuple[int, datetime]] = {}

    def put(self, tenant_id: UUID, kind: str, which: Hashable, now: datetime) -> None:
        """It failed (again)."""
        failures, until = self._known.get((tenant_id, kind, which), (0, now))
        if now - until >= FORGOTTEN_AFTER:
            failures = 0
        self._known[tenant_id, kind, which] = (failures + 1, now + pause(failures + 1))
        self._bound(now)

    def rest(self, tenant_id: UUID, kind: str, which: Hashable, now: datetime) -> None:
        """Leave it alone for as long as after a first failure; it is none."""
        failures, until = self._known.get((tenant_id, kind, which), (0, now))
        self._known[tenant_id, kind, which] = (failures, max(until, now + pause(1)))
        self._bound(now)

    def clear(self, tenant_id: UUID, kind: str, which: Hashable) -> None:
        """It went well."""
        self._known.pop((tenant_id, kind, which), None)

    def holds(self, tenant_id: UUID, kind: str, which: Hashable, now: datetime) -> bool:
        known = self._known.get((tenant_id, kind, which))
        return known is not None and now < known[1]

    def ids(self, tenant_id: UUID, kind: str, now: datetime) -> list[UUID]:
        """Which ones of a kind to leave out now."""
        return [
            which
            for (tenant, name, which), (_, until) in self._known.items()
            if tenant == tenant_id and name == kind and now < until and isinstance(which, UUID)
        ]

    def _bound(self, now: datetime) -> None:
        if len(self._known) <= KNOWN_MAX:
            return
        self._known = {
            key: known
            for key, known in self._known.items()
            if now - known[1] < (FORGOTTEN_AFTER if known[0] else timedelta())
        }
