"""Whether a condition is still a draft: it is then told of more than one that is in force.

What was saved compiles for ever. What came to be refused later, or can never hold, is told while
somebody writes it, and never when it is read again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_drafts: ContextVar[bool] = ContextVar("conditions are drafts", default=False)


@contextmanager
def drafts() -> Iterator[None]:
    """Within it conditions are drafts."""
    token = _drafts.set(True)
    try:
        yield
    finally:
        _drafts.reset(token)


def is_draft() -> bool:
    return _drafts.get()
