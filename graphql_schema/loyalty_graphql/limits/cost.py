"""Cost as arithmetic: a fixed part, and parts that grow with the variables of a request.

It is compiled once per document; a request only fills in its page sizes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import IntValueNode, ListValueNode, NullValueNode, ValueNode, VariableNode

from loyalty_graphql.limits.exceeded import LimitExceeded

# In tenths of an object, so that all of it stays whole numbers.
OBJECT = 10
VALUE = 1

Variables = Mapping[str, Any]


class Size(Protocol):
    """How many items a list will have at most."""

    def of(self, variables: Variables) -> int: ...


@dataclass(frozen=True, slots=True)
class Fixed:
    items: int

    def of(self, variables: Variables) -> int:
        return self.items


@dataclass(frozen=True, slots=True)
class Paged:
    """The size of a page: what `first` or `last` say, each a number, a variable or nothing."""

    given: tuple[tuple[str, "int | Named | None"], ...]
    default: int
    maximum: int

    def of(self, variables: Variables) -> int:
        sizes = [self._checked(name, given, variables) for name, given in self.given]
        return max((size for size in sizes if size is not None), default=self.default)

    def _checked(self, name: str, given: "int | Named | None", variables: Variables) -> int | None:
        size = given.of(variables) if isinstance(given, Named) else given
        if isinstance(size, bool) or not isinstance(size, int):
            return None
        if not 0 <= size <= self.maximum:
            raise LimitExceeded("page", f"{name} is {size}; ask for 0 to {self.maximum} items")
        return size


@dataclass(frozen=True, slots=True)
class Listed:
    """As many as the longest list argument names."""

    given: tuple["int | Named | None", ...]
    default: int

    def of(self, variables: Variables) -> int:
        values = [g.of(variables) if isinstance(g, Named) else g for g in self.given]
        sizes = [len(v) if isinstance(v, list) else v for v in values]
        return max((size for size in sizes if isinstance(size, int)), default=self.default)


@dataclass(frozen=True, slots=True)
class Named:
    """A variable and what it is where the request leaves it out."""

    name: str
    default: Any

    def of(self, variables: Variables) -> Any:
        return variables.get(self.name, self.default)


@dataclass(frozen=True, slots=True)
class Cost:
    """`fixed` tenths, and each of `scaled` times its size."""

    fixed: int = 0
    scaled: tuple[tuple[Size, "Cost"], ...] = ()

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.fixed + other.fixed, self.scaled + other.scaled)

    def times(self, size: Size) -> "Cost":
        if isinstance(size, Fixed) and not self.scaled:
            return Cost(self.fixed * size.items)
        return Cost(0, ((size, self),))

    def of(self, variables: Variables) -> int:
        """In tenths of an object. As many steps as the expanded document has lists.

        :raises LimitExceeded: a page is larger than a page may be
        """
        return self.fixed + sum(
            size.of(variables) * cost.of(variables) for size, cost in self.scaled
        )


def whole_or_named(node: ValueNode | None, defaults: Mapping[str, Any]) -> int | Named | None:
    """A number argument as far as it is known before the request; the length of a list."""
    match node:
        case VariableNode():
            return Named(node.name.value, defaults.get(node.name.value))
        case IntValueNode():
            return int(node.value[:20])
        case ListValueNode():
            return len(node.values)
        case NullValueNode() | None:
            return None
    return None
