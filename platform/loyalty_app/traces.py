"""Traces: sent by OTLP where the usual variables of OpenTelemetry say so (extra `tracing`)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from loyalty_app.problem import Problem

ASKED_BY = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@contextmanager
def traces(service: str) -> Iterator[None]:
    """Record spans and send them while the block runs; nothing where no address is set.

    `service` names the process where `OTEL_SERVICE_NAME` does not.

    :raises Problem: it is asked for, and the packages are not there
    """
    if not any(os.environ.get(name) for name in ASKED_BY):
        yield
        return
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise Problem(
            f"{ASKED_BY[0]} is set, and what sends traces is not installed",
            "Install loyalty-platform[tracing], or unset it",
        ) from None
    os.environ.setdefault("OTEL_SERVICE_NAME", service)
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    AsyncPGInstrumentor().instrument(tracer_provider=provider)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        provider.shutdown()
