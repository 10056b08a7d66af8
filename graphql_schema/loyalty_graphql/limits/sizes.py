"""How many items a field can answer with, from its type and its arguments."""

from collections.abc import Iterable, Mapping
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    Undefined,
)

from loyalty_graphql.limits.cost import Fixed, Listed, Paged, Size, whole_or_named
from loyalty_graphql.limits.numbers import Limits

ONE = Fixed(1)
_PAGE_ARGUMENTS = ("first", "last")


def field_of(parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        found: GraphQLField | None = parent.fields.get(name)
        return found
    return None


def page_of(
    node: FieldNode, field: GraphQLField | None, defaults: Mapping[str, Any], limits: Limits
) -> Paged | None:
    """The page that a field takes by `first` or `last`; None where it has neither argument."""
    if field is None or not (names := [n for n in _PAGE_ARGUMENTS if n in field.args]):
        return None
    given = _given(node, defaults)
    default = max(_whole_defaults(field, names), default=limits.page_default)
    return Paged(tuple((name, given.get(name)) for name in names), default, limits.page)


def size_of(
    node: FieldNode,
    parent: GraphQLNamedType | None,
    field: GraphQLField | None,
    page: Paged | None,
    defaults: Mapping[str, Any],
    limits: Limits,
) -> Size:
    """The items of one field. `page` is its own page or that of the connection it stands in."""
    if field is None or not _is_list(field.type):
        return ONE
    if page is not None:
        return page
    assumed = limits.list_sizes.get(
        f"{parent.name if parent else ''}.{node.name.value}", limits.list_size
    )
    given = _given(node, defaults)
    lists = tuple(given.get(name) for name, a in field.args.items() if _is_list(a.type))
    return Listed(lists, assumed) if lists else Fixed(assumed)


def _given(node: FieldNode, defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {a.name.value: whole_or_named(a.value, defaults) for a in node.arguments or ()}


def _whole_defaults(field: GraphQLField, names: Iterable[str]) -> list[int]:
    defaults = (field.args[name].default_value for name in names)
    return [d for d in defaults if d is not Undefined and isinstance(d, int)]


def _is_list(kind: Any) -> bool:
    while isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    return isinstance(kind, GraphQLList)
