"""What a process that serves never uses, and need not wait for when it starts."""

import sys

UNUSED = ("httpx._main",)  # httpx's own command line, with rich and pygments: 0.1 s


def leave_out() -> None:
    """Called before the imports: whoever imports these finds nothing, and does without."""
    for name in UNUSED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
