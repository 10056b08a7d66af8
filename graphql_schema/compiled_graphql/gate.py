"""A check before a resolver: seen by the compiler, so that it need not be called through."""

from collections.abc import Callable
from typing import Any


class Gated:
    """A resolver behind a check of the context.

    Put in the place of `GraphQLField.resolve`. `check(context)` does nothing or raises; it must
    not wait. Arguments were coerced before it, as with any resolver.
    """

    __slots__ = ("check", "resolve")

    def __init__(self, resolve: Callable[..., Any], check: Callable[[Any], None]) -> None:
        self.resolve = resolve
        self.check = check

    # By position: a field may well have an argument called `source`.
    def __call__(self, source: Any, info: Any, /, **arguments: Any) -> Any:
        self.check(info.context)
        return self.resolve(source, info, **arguments)
