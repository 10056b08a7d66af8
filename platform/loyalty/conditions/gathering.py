"""The conditions of a config, gathered while it is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from loyalty.conditions.condition import Condition

_gathered: ContextVar[list[Condition] | None] = ContextVar("conditions read", default=None)


@contextmanager
def gathering() -> Iterator[list[Condition]]:
    """Within it every condition that is compiled is put on the list."""
    found: list[Condition] = []
    token = _gathered.set(found)
    try:
        yield found
    finally:
        _gathered.reset(token)


def note(condition: Condition) -> None:
    """It was compiled."""
    if (found := _gathered.get()) is not None:
        found.append(condition)
