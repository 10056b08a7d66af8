"""Classes whose instances are values as they are: no awaitables, no errors, no late iterables.

Learned while operations run. Bounded, since a class that is held can never be freed.
"""

from types import WrapperDescriptorType
from typing import Any

from graphql.pyutils import Undefined, is_awaitable

PLAIN_MAX = 2_000


class Plain(set[type]):
    """A set of classes; generated code asks `value.__class__ in plain` and nothing else."""

    def learn(self, value: Any) -> None:
        """Remember the class of a value that was found to be no error and not awaitable.

        What can change its mind from instance to instance is asked anew each time.
        """
        kind = type(value)
        if value is None or value is Undefined or value.__class__ is not kind:
            return
        if issubclass(kind, BaseException) or is_awaitable(value) or hasattr(value, "__aiter__"):
            return
        # Attributes that Python code makes up may be there for one instance and not for another.
        if type(kind.__getattribute__) is not WrapperDescriptorType or hasattr(kind, "__getattr__"):
            return
        if len(self) >= PLAIN_MAX:
            self.clear()
        self.add(kind)
