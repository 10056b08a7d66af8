"""What is known of a request while it is answered, for those who watch: counted, timed, traced."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from opentelemetry.trace import SpanKind, Status, StatusCode

from loyalty.tracing import is_on, read, tracer
from loyalty_graphql.meters import OPERATION_SECONDS, OPERATIONS, Names
from loyalty_graphql.runner import Ready
from loyalty_tenants.principal import Principal

TRACEPARENT = "traceparent"
NO_OPERATION = "none"  # refused before it was known which one it is


@dataclass(slots=True)
class Seen:
    """`traced_by` is the W3C `traceparent` that the caller sent."""

    traced_by: str | None = None
    principal: Principal | None = None
    ready: Ready | None = None
    begun: float = field(default_factory=perf_counter)


class Counted:
    """The meters of one edge."""

    def __init__(self) -> None:
        self._names = Names()
        self._counters: dict[tuple[str, str], Any] = {}  # as few as there are labels

    def note(self, seen: Seen, answer: Mapping[str, Any]) -> None:
        """A request was answered."""
        ready = seen.ready
        name = NO_OPERATION if ready is None else self._names.label(ready.name, seen.principal)
        labels = name, outcome(answer)
        if (counter := self._counters.get(labels)) is None:
            counter = self._counters[labels] = OPERATIONS.labels(*labels)
        counter.inc()
        kind = NO_OPERATION if ready is None else ready.operation.kind.value
        OPERATION_SECONDS.labels(kind).observe(perf_counter() - seen.begun)


def outcome(answer: Mapping[str, Any]) -> str:
    """`OK`, or the code of the first error."""
    errors = answer.get("errors")
    return errors[0]["extensions"]["code"] if errors else "OK"


@contextmanager
def operation_span(seen: Seen) -> Iterator[None]:
    """One span for the operation, in the trace that the caller is in."""
    assert seen.ready is not None
    if seen.traced_by is None and not is_on():
        yield
        return
    kind, name = seen.ready.operation.kind.value, seen.ready.name
    with tracer.start_as_current_span(
        f"{kind} {name}" if name else kind, read(seen.traced_by), kind=SpanKind.SERVER
    ) as span:
        span.set_attribute("graphql.operation.type", kind)
        if name:
            span.set_attribute("graphql.operation.name", name)
        if seen.principal is not None:
            span.set_attribute("loyalty.tenant", str(seen.principal.tenant_id))
        try:
            yield
        except Exception:
            span.set_status(Status(StatusCode.ERROR))
            raise
