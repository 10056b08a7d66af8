"""What the edge counts, for Prometheus: operations by the name their client gave them."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

from loyalty_tenants.principal import Principal

NAMES_MAX = 200
NAME_MAX = 60
UNNAMED = "unnamed"
OTHER = "other"

OPERATIONS = Counter(
    "loyalty_operations",
    "Operations that were answered, by name (`unnamed` without one; `other` for callers without a "
    "credential and beyond 200 names) and outcome (`OK` or the first error's code).",
    ["operation", "outcome"],
)
OPERATION_SECONDS = Histogram(
    "loyalty_operation_seconds",
    "Time until an operation was answered, by kind.",
    ["kind"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
EXECUTIONS = Counter(
    "loyalty_executions",
    "Operations by what executed them: `compiled`, or why graphql-core's own executor did "
    "(`first_sight`, `not_kept`, `introspection`, `subscription`, ...).",
    ["way"],
)
IN_FLIGHT = Gauge(
    "loyalty_operations_in_flight",
    "Requests to /graphql that are being answered.",
    multiprocess_mode="livesum",
)
SOCKETS = Gauge(
    "loyalty_sockets",
    "Sockets for subscriptions that are open.",
    multiprocess_mode="livesum",
)


class Names:
    """Which names are told apart: so many, and none of a caller whom nobody knows."""

    def __init__(self, most: int = NAMES_MAX) -> None:
        self._most = most
        self._known: set[str] = set()

    def label(self, name: str | None, principal: Principal | None) -> str:
        if principal is None:
            return OTHER
        if name is None:
            return UNNAMED
        name = name[:NAME_MAX]
        if name not in self._known:
            if len(self._known) >= self._most:
                return OTHER
            self._known.add(name)
        return name


@contextmanager
def in_flight() -> Iterator[None]:
    IN_FLIGHT.inc()
    try:
        yield
    finally:
        IN_FLIGHT.dec()
