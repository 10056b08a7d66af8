"""What a process that serves never uses, and need not wait for when it starts."""

import inspect
import sys
from typing import Any

UNUSED = (
    "httpx._main",  # httpx's own command line, with rich and pygments: 0.1 s
    "sniffio",  # not installed; httpcore looks for it three times in each request: 0.3 ms
)


def leave_out() -> None:
    """Called before the imports: whoever imports these finds nothing, and does without."""
    for name in UNUSED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    _structlog_without_rich()
    _redis_without_metrics()
    _tortoise_without_comments()


def _structlog_without_rich() -> None:
    """structlog takes rich along for a terminal's sake wherever it is installed, another 0.1 s."""
    if "rich" not in sys.modules and "structlog" not in sys.modules:
        sys.modules["rich"] = None  # type: ignore[assignment]
        import structlog  # noqa: F401

        del sys.modules["rich"]


def _redis_without_metrics() -> None:
    """redis-py could measure itself by OpenTelemetry, whose SDK it takes along: another 0.1 s."""
    name = "opentelemetry.sdk.metrics"
    if name not in sys.modules and "redis" not in sys.modules:
        sys.modules[name] = None  # type: ignore[assignment]
        import redis.asyncio  # noqa: F401

        del sys.modules[name]


def _tortoise_without_comments() -> None:
    """Tortoise reads its own source for comments on the columns of a model without any: 0.03 s."""
    if "tortoise" in sys.modules:
        return
    found = inspect.getsource

    def of_no_class(what: Any) -> str:
        if isinstance(what, type):
            raise OSError("nobody looks at its comments")
        return found(what)

    inspect.getsource = of_no_class  # type: ignore[assignment]
    try:
        import tortoise  # noqa: F401
    finally:
        inspect.getsource = found
