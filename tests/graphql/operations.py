"""Every operation of a schema as a document with input of its own, made from the schema itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from loyalty_graphql.descriptions import DEFINITION

Fill = Callable[[str, str], Any]
"""What to write at a path (`input.member.id`) of a scalar type; None for the least that will do."""

LEAST = {"Int": 1, "Boolean": False, "Decimal": "1", "JSON": {}, "Config": {}, "BatchItems": []}


@dataclass(frozen=True, slots=True)
class Operation:
    """A field of a root type."""

    kind: str
    name: str
    field: GraphQLField

    def leaves(self) -> Iterator[tuple[str, str]]:
        """Path and scalar type of everything that can be written into it."""
        for name, argument in self.field.args.items():
            yield from _leaves(argument.type, name)

    def request(self, fill: Fill, *, deep: bool = False) -> tuple[str, dict[str, Any]]:
        """A document and its variables. `deep` asks for what two levels of the answer show."""
        args = self.field.args
        given = {name: _given(arg.type, name, fill) for name, arg in args.items()}
        variables = {
            name: value
            for name, value in given.items()
            if value is not None or is_required_argument(args[name])
        }
        declared = ", ".join(f"${name}: {args[name].type}" for name in variables)
        passed = ", ".join(f"{name}: ${name}" for name in variables)
        shown = _selection(self.field.type, 2 if deep else 0)
        call = f"{self.name}{f'({passed})' if passed else ''} {shown}"
        return f"{self.kind}{f'({declared})' if declared else ''} {{ {call} }}", variables


def operations(schema: GraphQLSchema) -> list[Operation]:
    """All of them, each once."""
    roots = (
        ("query", schema.query_type),
        ("mutation", schema.mutation_type),
        ("subscription", schema.subscription_type),
    )
    return [
        Operation(kind, name, field)
        for kind, root in roots
        if root is not None
        for name, field in root.fields.items()
    ]


def _leaves(kind: GraphQLInputType, path: str, seen: tuple[str, ...] = ()) -> Iterator[Any]:
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        if named.name not in seen:
            for name, field in named.fields.items():
                yield from _leaves(field.type, f"{path}.{name}", (*seen, named.name))
    elif isinstance(named, GraphQLScalarType):
        yield path, named.name


def _given(kind: GraphQLInputType, path: str, fill: Fill, *, needed: bool = False) -> Any:
    """A value; None where none was asked for and none is needed."""
    match kind:
        case GraphQLNonNull():
            return _given(kind.of_type, path, fill, needed=True)
        case GraphQLList():
            item = _given(get_nullable_type(kind.of_type), path, fill)
            return [item] if item is not None else [] if needed else None
        case GraphQLInputObjectType():
            return _object(kind, path, fill, needed)
        case GraphQLEnumType():
            return next(iter(kind.values)) if needed else None
    value = fill(path, kind.name)
    if value is None and needed:
        return LEAST.get(kind.name, "2026-01-01T17:00:00Z" if kind.name == "DateTime" else "x")
    return value


def _object(kind: GraphQLInputObjectType, path: str, fill: Fill, needed: bool) -> Any:
    """What was asked for of it; if there is anything, or it is needed, with all that it needs."""
    fields = {
        name: _given(get_nullable_type(field.type), f"{path}.{name}", fill)
        for name, field in kind.fields.items()
    }
    chosen = {name: value for name, value in fields.items() if value is not None}
    if not chosen and not needed:
        return None
    if kind.extensions[DEFINITION].is_one_of:
        return dict([next(iter(chosen.items()), ("externalId", "x"))])
    for name, field in kind.fields.items():
        if name not in chosen and is_required_input_field(field):
            chosen[name] = _given(field.type, f"{path}.{name}", fill, needed=True)
    return chosen


def _selection(kind: GraphQLOutputType, depth: int) -> str:
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    if is_abstract_type(named) or not isinstance(named, GraphQLObjectType):
        return "{ __typename }"
    shown = ["__typename"]
    for name, field in named.fields.items() if depth else ():
        if any(map(is_required_argument, field.args.values())):
            continue
        if is_leaf_type(get_named_type(field.type)):
            shown.append(name)
        elif depth > 1 or name in ("edges", "node"):
            shown.append(f"{name} {_selection(field.type, depth - 1)}")
    return "{ " + " ".join(shown) + " }"
