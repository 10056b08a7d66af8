"""What a process that serves never uses, and need not wait for when it starts."""

import sys

UNUSED = ("httpx._main",)  # httpx's own command line, with rich and pygments: 0.1 s


def leave_out() -> None:
    """Called before the imports: whoever imports these finds nothing, and does without."""
    for name in UNUSED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    _structlog_without_rich()


def _structlog_without_rich() -> None:
    """structlog takes rich along for a terminal's sake wherever it is installed, another 0.1 s."""
    if "rich" not in sys.modules and "structlog" not in sys.modules:
        sys.modules["rich"] = None  # type: ignore[assignment]
        import structlog  # noqa: F401

        del sys.modules["rich"]
