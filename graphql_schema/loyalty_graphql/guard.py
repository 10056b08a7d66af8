"""Every resolver that has a rule, or should have one, asks it first."""

from collections.abc import Callable, Iterator
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from compiled_graphql import Gated
from loyalty_graphql.access import NOBODY, Rule, is_reached, rule_of
from loyalty_graphql.descriptions import DEFINITION, own_types
from loyalty_graphql.noting import noted
from loyalty_tenants.scopes import DESCRIPTIONS as SCOPES


def guard(schema: GraphQLSchema) -> None:
    """Put the rules before the resolvers. What was declared nowhere is closed to everyone."""
    for kind, field, rule, place in _fields(schema):
        if rule is not None:
            if kind is schema.mutation_type and field.resolve is not None:
                field.resolve = noted(field.resolve, place.partition(".")[2], rule)
            field.resolve = _guarded(field.resolve, rule)
            if kind is schema.subscription_type:
                field.subscribe = _guarded(field.subscribe, rule)


def unauthorised(schema: GraphQLSchema) -> Iterator[str]:
    """Fields that nobody was let into, and scopes that do not exist, one line each."""
    for _, _, rule, place in _fields(schema):
        if rule == NOBODY:
            yield f"{place} is open to nobody: declare @allow, or @reached on its type"
        for clause in rule.clauses if rule else ():
            if clause.scope is not None and clause.scope not in SCOPES:
                yield f"{place} names the scope {clause.scope}, which does not exist"


def rules_of_root(kind: GraphQLObjectType | None) -> dict[str, Rule]:
    """The rules of a root type's fields, by the name that clients use."""
    if kind is None:
        return {}
    return {name: _own(field) or NOBODY for name, field in kind.fields.items()}


def _fields(
    schema: GraphQLSchema,
) -> Iterator[tuple[GraphQLObjectType, GraphQLField, Rule | None, str]]:
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    for kind in own_types(schema):
        if not isinstance(kind, GraphQLObjectType):
            continue
        open_by_default = kind not in roots and _is_reached(kind)
        for name, field in kind.fields.items():
            rule = _own(field) or (None if open_by_default else NOBODY)
            yield kind, field, rule, f"{kind.name}.{name}"


def _is_reached(kind: GraphQLObjectType) -> bool:
    definition = kind.extensions.get(DEFINITION)
    return isinstance(definition, StrawberryObjectDefinition) and is_reached(definition.origin)


def _own(field: GraphQLField) -> Rule | None:
    definition = field.extensions.get(DEFINITION)
    return rule_of(definition) if isinstance(definition, StrawberryField) else None


def _guarded(resolve: Callable[..., Any] | None, rule: Rule) -> Callable[..., Any]:
    assert resolve is not None, "strawberry gives every field a resolver"
    return Gated(resolve, lambda context: rule.admit(context.principal))
