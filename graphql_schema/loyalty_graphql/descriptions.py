"""Docstrings become the descriptions of the schema, so each thing is explained once.

Types, inputs and enums: the docstring of the class. Resolvers: their docstring, whose lines
`:param name: text` describe the arguments. Attributes and enum values: the string that stands
beneath them.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    is_introspection_type,
    is_specified_directive,
    is_specified_scalar_type,
)
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField

from loyalty import docstrings

DEFINITION = "strawberry-definition"

_PARAM = re.compile(r"^:param (\w+):[ ]*(.+(?:\n[ ]+.+)*)\n?", re.MULTILINE)
_ROOTS = {
    "Query": "Everything that can be read.",
    "Mutation": "Everything that can be done.",
    "Subscription": "Everything that can be watched.",
}


def describe(schema: GraphQLSchema) -> None:
    """Fill in every description that is still missing and that a docstring can give."""
    for shown in own_types(schema):
        definition = shown.extensions.get(DEFINITION)
        if isinstance(shown, GraphQLEnumType) and isinstance(definition, StrawberryEnumDefinition):
            _describe_enum(shown, definition)
        elif isinstance(definition, StrawberryObjectDefinition):
            _describe_object(shown, definition)


def undescribed(schema: GraphQLSchema) -> Iterator[str]:
    """Everything in the schema that has no description, by its schema coordinate."""
    for shown in own_types(schema):
        if not shown.description:
            yield shown.name
        for name, member in members_of(shown).items():
            if not member.description:
                yield f"{shown.name}.{name}"
            for argument, given in getattr(member, "args", {}).items():
                if not given.description:
                    yield f"{shown.name}.{name}({argument}:)"
    for directive in schema.directives:
        if not directive.description and not is_specified_directive(directive):
            yield f"@{directive.name}"


def own_types(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    """The types of the schema that are not part of every GraphQL schema."""
    return [
        shown
        for shown in schema.type_map.values()
        if not (is_introspection_type(shown) or is_specified_scalar_type(shown))
    ]


def members_of(shown: GraphQLNamedType) -> Mapping[str, Any]:
    """The fields of a type, or the values of an enum."""
    match shown:
        case GraphQLObjectType() | GraphQLInterfaceType() | GraphQLInputObjectType():
            return dict(shown.fields)
        case GraphQLEnumType():
            return dict(shown.values)
        case GraphQLScalarType() | GraphQLUnionType():
            return {}
    raise TypeError(f"{shown.name} is of no known kind")


def _describe_object(shown: GraphQLNamedType, definition: StrawberryObjectDefinition) -> None:
    shown.description = (
        shown.description or _ROOTS.get(shown.name) or docstrings.of_class(definition.origin)
    )
    for member in members_of(shown).values():
        field = member.extensions.get(DEFINITION)
        if not isinstance(field, StrawberryField):
            continue
        if field.base_resolver is not None:
            _describe_resolver(member, field.base_resolver.wrapped_func)
        elif not member.description:
            member.description = docstrings.of_attribute(definition.origin, field.python_name)


def _describe_resolver(member: GraphQLField, resolver: object) -> None:
    doc = inspect.getdoc(resolver) or ""
    texts = {name: " ".join(text.split()) for name, text in _PARAM.findall(doc)}
    member.description = member.description or _PARAM.sub("", doc).strip() or None
    for argument in member.args.values():
        known = argument.extensions.get(DEFINITION)
        if not argument.description and known is not None:
            argument.description = texts.get(known.python_name)


def _describe_enum(shown: GraphQLEnumType, definition: StrawberryEnumDefinition) -> None:
    shown.description = shown.description or docstrings.of_class(definition.wrapped_cls)
    for name, value in shown.values.items():
        if not value.description:
            value.description = docstrings.of_attribute(definition.wrapped_cls, name)
