"""How a process logs: one JSON object a line on standard error, or plain text for a terminal.

Every line that is written while a request is answered has the request's id and the tenant's; where
it is traced, the trace's. Members, names, addresses and secrets are never logged: not what was
sent, only what came of it.
"""

import logging

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.types import EventDict, Processor, WrappedLogger

from loyalty.tracing import here
from loyalty_app.log_format import LogFormat


def configure(form: LogFormat, level: str) -> None:
    """Once, first thing in a process that serves."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _in_trace,
    ]
    # Tracebacks are plain: pretty ones show local variables, which hold members and secrets.
    last: list[Processor] = [
        ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
    ]
    if form is LogFormat.JSON:
        last += [
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(),
        ]
    else:
        last.append(_as_text)
    handler = logging.StreamHandler()
    handler.setFormatter(ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def _as_text(logger: WrappedLogger, method: str, event: EventDict) -> str:
    told = dict(event)
    parts = [told.pop(name, "") for name in ("timestamp", "level", "logger", "event")]
    at, level, name, message = map(str, parts)
    exception = told.pop("exception", None)
    about = "".join(f" {key}={value}" for key, value in told.items())
    line = f"{at} {level.upper()} {name}: {message}{about}"
    return line if exception is None else f"{line}\n{exception}"


def _in_trace(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    if (span := here()) is not None:
        event["trace"] = f"{span.trace_id:032x}"
        event["span"] = f"{span.span_id:016x}"
    return event
