"""Interfaces and unions: the object type of a value, by its class where that alone decides."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLAbstractType, GraphQLInterfaceType
from strawberry.execution import optimized_is_awaitable as is_awaitable

from compiled_graphql.field import Complete, Field
from compiled_graphql.paths import Place
from compiled_graphql.run import Run
from compiled_graphql.stock_parts import (
    CAST,
    DEFINITION,
    class_of,
    resolves_interface,
    resolves_union,
)
from compiled_graphql.stock_way import by_stock, of_field
from compiled_graphql.waiting import Coroutine


def by_runtime_type(
    kind: GraphQLAbstractType, field: Field, objects: Mapping[str, Complete]
) -> Complete:
    """Complete a value by the selection of its own type."""
    if len(objects) < len(field.target.core.get_possible_types(kind)):
        return by_stock(kind, field)
    known = _by_class(kind, field, objects)

    def complete(run: Run, value: Any, place: Place) -> Any:
        found = known.get(value.__class__)
        if found is not None and getattr(value, CAST, None) is None:
            return found(run, value, place)
        # With the path of the field, also for an item in its list: as graphql-core has it.
        info = run.raw_info(field, field.path(of_field(place)))
        stock = run.stock
        name = (kind.resolve_type or stock.type_resolver)(value, info, kind)
        if is_awaitable(name):
            return _later(run, name, value, place, info)
        valid = stock.ensure_valid_runtime_type(name, kind, field.details, info, value)
        return objects[valid.name](run, value, place)

    async def _later(run: Run, name: Any, value: Any, place: Place, info: Any) -> Any:
        valid = run.stock.ensure_valid_runtime_type(await name, kind, field.details, info, value)
        completed = objects[valid.name](run, value, place)
        return await completed if completed.__class__ is Coroutine else completed

    return complete


def _by_class(
    kind: GraphQLAbstractType, field: Field, objects: Mapping[str, Complete]
) -> dict[type, Complete]:
    """Of the types whose own class is theirs alone, where strawberry itself would tell them."""
    if isinstance(kind, GraphQLInterfaceType):
        if not resolves_interface(kind.resolve_type):
            return {}
        of_all: type = getattr(kind.extensions.get(DEFINITION), "origin", type(None))
    elif resolves_union(kind.resolve_type):
        of_all = object
    else:
        return {}
    found: dict[type, Complete] = {}
    for possible in field.target.core.get_possible_types(kind):
        python = class_of(possible)
        if python is not None and issubclass(python, of_all) and possible.name in objects:
            found[python] = objects[possible.name]
    return found
