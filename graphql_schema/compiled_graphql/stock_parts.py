"""How strawberry's own functions are told from those that somebody put in their place.

By their code, which a decorator cannot copy as it copies a name.
"""

from typing import Any

from graphql import GraphQLObjectType
from strawberry.types.base import StrawberryObjectDefinition

DEFINITION = "strawberry-definition"
CAST = "__as_strawberry_type__"

_RESOLVERS = "GraphQLCoreConverter.from_resolver.<locals>."
_IS_TYPE_OF = "GraphQLCoreConverter.from_object.<locals>._get_is_type_of.<locals>."
_OF_INTERFACE = "GraphQLCoreConverter.from_interface.<locals>._get_resolve_type.<locals>."
_OF_UNION = "StrawberryUnion.get_type_resolver.<locals>."


def is_resolver(function: Any) -> bool:
    return _is_from(function, _RESOLVERS)


def is_type_test(function: Any) -> bool:
    return _is_from(function, _IS_TYPE_OF)


def resolves_interface(function: Any) -> bool:
    return _is_from(function, _OF_INTERFACE)


def resolves_union(function: Any) -> bool:
    return _is_from(function, _OF_UNION)


def class_of(kind: GraphQLObjectType) -> type | None:
    """The one class that stands for an object type; None for generic ones, which share theirs."""
    definition: Any = kind.extensions.get(DEFINITION)
    if not isinstance(definition, StrawberryObjectDefinition):
        return None
    if definition.is_graphql_generic or definition.concrete_of is not None:
        return None
    if definition.is_type_of is not None or definition.name != kind.name:
        return None
    python: type = definition.origin
    return python if vars(python).get("__strawberry_definition__") is definition else None


def _is_from(function: Any, place: str) -> bool:
    code = getattr(function, "__code__", None)
    return code is not None and code.co_qualname.startswith(place)
