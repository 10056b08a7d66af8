"""Completion of values by their type: closures, made once for each field of a compiled operation.

Each mirrors a part of graphql-core's `Executor.complete_value`, in its order of questions. Objects
are functions of generated code; what is rare is handed to the stock executor as it is.
"""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.error import GraphQLError
from graphql.pyutils import Undefined, is_iterable

from compiled_graphql.dispatch import by_runtime_type
from compiled_graphql.field import Complete, Field
from compiled_graphql.leaves import completed_leaf
from compiled_graphql.lists import complete_items
from compiled_graphql.paths import Place
from compiled_graphql.run import Run
from compiled_graphql.stock_way import by_stock

Objects = Mapping[str, Complete]
"""The compiled selections of one field, by the name of the object type they are of."""


def completion(kind: GraphQLOutputType, field: Field, objects: Objects) -> Complete:
    """How a value of this type is completed: one that is neither awaitable nor an error."""
    if is_non_null_type(kind):
        return _never_null(kind, field, objects)
    inner = known(kind, field, objects)

    def complete(run: Run, value: Any, place: Place) -> Any:
        if value is None or value is Undefined:
            return None
        return inner(run, value, place)

    return complete


def known(kind: GraphQLOutputType, field: Field, objects: Objects) -> Complete:
    """The same for a value that is known to be there."""
    if is_non_null_type(kind):
        return known(kind.of_type, field, objects)
    if is_leaf_type(kind):
        return _leaf(kind)
    if is_list_type(kind):
        return _list(kind, field, objects)
    if is_abstract_type(kind):
        return by_runtime_type(kind, field, objects)
    assert is_object_type(kind)
    return _object(kind, field, objects)


def _never_null(kind: GraphQLNonNull[Any], field: Field, objects: Objects) -> Complete:
    inner = completion(kind.of_type, field, objects)
    message = f"Cannot return null for non-nullable field {field.parent}.{field.name}."

    def complete(run: Run, value: Any, place: Place) -> Any:
        completed = inner(run, value, place)
        if completed is None:
            raise TypeError(message)
        return completed

    return complete


def _leaf(kind: GraphQLLeafType) -> Complete:
    complete = completed_leaf(kind)
    return lambda run, value, place: complete(value)


def _object(kind: GraphQLObjectType, field: Field, objects: Objects) -> Complete:
    found = objects.get(kind.name)
    return found or by_stock(kind, field)


def _list(kind: GraphQLList[Any], field: Field, objects: Objects) -> Complete:
    item = kind.of_type
    direct: Callable[[Run, Any, Place], Any] = known(item, field, objects)
    items = complete_items(item, field, direct, completion(item, field, objects))
    stock = by_stock(kind, field)
    message = f"Expected Iterable, but did not find one for field '{field.parent}.{field.name}'."

    def complete(run: Run, value: Any, place: Place) -> Any:
        if value.__class__ is list:
            return items(run, value, place)
        if hasattr(value, "__aiter__"):
            return stock(run, value, place)
        if not is_iterable(value):
            raise GraphQLError(message)
        return items(run, value, place)

    return complete
