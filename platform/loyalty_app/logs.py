"""How a process logs: one JSON object a line on standard error, or plain text for a terminal.

Every line that is written while a request is answered has the request's id and the tenant's; where
it is traced, the trace's. Members, names, addresses and secrets are never logged: not what was
sent, only what came of it.
"""

import logging
import sys
from enum import StrEnum

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.types import EventDict, Processor, WrappedLogger

from loyalty.tracing import here


class LogFormat(StrEnum):
    JSON = "json"
    TEXT = "text"


def configure(form: LogFormat, level: str) -> None:
    """Once, first thing in a process that serves."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _in_trace,
    ]
    last: list[Processor] = [ProcessorFormatter.remove_processors_meta]
    if form is LogFormat.JSON:
        last += [
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(),
        ]
    else:
        last.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    handler = logging.StreamHandler()
    handler.setFormatter(ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def _in_trace(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    if (span := here()) is not None:
        event["trace"] = f"{span.trace_id:032x}"
        event["span"] = f"{span.span_id:016x}"
    return event
