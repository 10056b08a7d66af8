"""Leaf values: when one may go into the answer as it is, and how the others are made ready."""

from collections.abc import Callable, Mapping
from enum import Enum, Flag
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
)
from graphql.pyutils import Undefined, inspect
from strawberry.schema.schema_converter import CustomGraphQLEnumType

# A test that tells a value which is its own output; all others take the long way.
EXACT: Mapping[Any, str] = {
    GraphQLString: "{0}.__class__ is str",
    GraphQLID: "{0}.__class__ is str",
    GraphQLBoolean: "{0}.__class__ is bool",
    GraphQLInt: "{0}.__class__ is int and -2147483648 <= {0} <= 2147483647",
    GraphQLFloat: "{0}.__class__ is float and {0} - {0} == 0",
}

# Classes of which every instance is its own output.
OWN_OUTPUT: Mapping[Any, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}


def completed_leaf(kind: GraphQLLeafType) -> Callable[[Any], Any]:
    """Make a value that is not null ready, as `Executor.complete_leaf_value` does."""
    coerce = kind.coerce_output_value

    def complete(value: Any) -> Any:
        found = coerce(value)
        if found is None or found is Undefined:
            raise TypeError(
                f"Expected `{inspect(kind)}.coerce_output_value({inspect(value)})`"
                f" to return non-nullable value, returned: {inspect(found)}"
            )
        return found

    return complete


class Leaves:
    """What was made of the leaf types of a schema."""

    def __init__(self) -> None:
        self._completed: dict[str, Callable[[Any], Any]] = {}
        self._names: dict[str, tuple[type, Mapping[str, str]] | None] = {}

    def completed(self, kind: GraphQLLeafType) -> Callable[[Any], Any]:
        if kind.name not in self._completed:
            self._completed[kind.name] = completed_leaf(kind)
        return self._completed[kind.name]

    def names(self, kind: GraphQLLeafType) -> tuple[type, Mapping[str, str]] | None:
        if kind.name not in self._names:
            self._names[kind.name] = names_of(kind)
        return self._names[kind.name]


def names_of(kind: GraphQLLeafType) -> tuple[type, Mapping[str, str]] | None:
    """The Python class of an enum and what each member is shown as, by the member's own name."""
    if type(kind) is not CustomGraphQLEnumType:
        return None
    python = kind.wrapped_cls
    if not (isinstance(python, type) and issubclass(python, Enum)) or issubclass(python, Flag):
        return None
    assert isinstance(kind, GraphQLEnumType)
    try:
        return python, {each._name_: kind.coerce_output_value(each) for each in python}
    except Exception:
        return None
