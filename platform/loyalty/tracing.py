"""Where the kernel takes part in traces (OpenTelemetry); without an SDK nothing of it happens.

A transaction that is traced says so to the database, whose outbox rows keep it: who tells of them
goes on with the same trace, in another process and later.
"""

from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

tracer = trace.get_tracer("loyalty")
_PROPAGATOR = TraceContextTextMapPropagator()


def here() -> SpanContext | None:
    """The span that is under way, where there is one that is recorded."""
    context = trace.get_current_span().get_span_context()
    return context if context.is_valid and context.trace_flags.sampled else None


def is_on() -> bool:
    """Whether spans go anywhere: an SDK was set up, here or by who started the process."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def written(context: SpanContext) -> str:
    """As W3C `traceparent`: hexadecimal digits and dashes alone."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def read(traceparent: str | None) -> Context:
    """The context to go on in; a new one where nothing, or nothing good, was handed over."""
    return _PROPAGATOR.extract({} if traceparent is None else {"traceparent": traceparent})


def after(spans: Sequence[SpanContext]) -> tuple[Context | None, list[Link]]:
    """For work that several asked for: on in the first one's trace, linked to the others."""
    if not spans:
        return None, []
    return trace.set_span_in_context(NonRecordingSpan(spans[0])), [Link(one) for one in spans[1:]]


__all__ = ["SpanKind", "after", "here", "is_on", "read", "tracer", "written"]
