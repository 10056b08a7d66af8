"""The resolvers of one schema, replaced: in copies, for fields stand in several schemas."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from inspect import Signature
from typing import Any

from graphql import GraphQLField, GraphQLObjectType
from strawberry import Schema
from strawberry.types.field import StrawberryField

from compiled_graphql import Gated
from compiled_graphql.stock_parts import is_resolver

DEFINITION = "strawberry-definition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """A field's resolver, and how it is called."""

    place: str
    kind: Any
    function: Callable[..., Any]
    signature: Signature
    is_async: bool
    info: str | None
    sources: tuple[str, ...]

    def asked(self, args: Any, kwargs: Any) -> tuple[Any, Any, dict[str, Any]]:
        """The object that it is asked of, `info`, and the arguments with their defaults."""
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        given = dict(bound.arguments)
        source = next((given[n] for n in self.sources if given.get(n) is not None), None)
        info = given.pop(self.info, None) if self.info else None
        return source, info, {n: v for n, v in given.items() if n not in self.sources}


Make = Callable[[Resolver], Callable[..., Any]]
Check = Callable[[str], Callable[[Any], None]]
Wrap = Callable[[str, Callable[..., Any]], Callable[..., Any]]


def replace_resolvers(
    schema: Schema, make: Make, check: Check | None = None, wrap: Wrap | None = None
) -> None:
    """Let `make` give every field with a resolver another one, and `check` its guard, if any.

    What somebody put around strawberry's own call is lost, unless `wrap` is to wrap it as it is.
    """
    core, converter = schema._schema, schema.schema_converter
    for kind in core.type_map.values():
        if kind.name.startswith("__") or not isinstance(kind, GraphQLObjectType):
            continue
        for name, field in kind.fields.items():
            own = field.extensions.get(DEFINITION)
            if kind is core.subscription_type or not isinstance(own, StrawberryField):
                continue
            if own.base_resolver is None:
                continue
            place, old = f"{kind.name}.{name}", field.resolve
            inner: Any = old.resolve if isinstance(old, Gated) else old
            if wrap and not is_resolver(inner):
                around = wrap(place, inner)
                field.resolve = Gated(around, old.check) if isinstance(old, Gated) else around
                continue
            made = _with(own, make(_resolver(place, field, own)))
            field.extensions = {**field.extensions, DEFINITION: made}
            resolve = converter.from_resolver(made)
            if isinstance(old, Gated):
                field.resolve = Gated(resolve, check(place) if check else old.check)
            else:
                field.resolve = resolve


def _resolver(place: str, field: GraphQLField, own: StrawberryField) -> Resolver:
    found = own.base_resolver
    assert found is not None
    function: Any = found.wrapped_func
    sources = (found.self_parameter, found.parent_parameter, found.root_parameter)
    return Resolver(
        place=place,
        kind=field.type,
        function=function,
        signature=found.signature,
        is_async=found.is_async,
        info=found.info_parameter.name if found.info_parameter else None,
        sources=tuple(parameter.name for parameter in sources if parameter),
    )


def _with(own: StrawberryField, function: Callable[..., Any]) -> StrawberryField:
    resolver = own.base_resolver
    assert resolver is not None
    # What is known of the old function stays known: the new one is called like it.
    _ = resolver.arguments, resolver.name, resolver.annotations, resolver.type_annotation
    _ = resolver.signature, resolver.is_async, resolver.info_parameter
    made, other = copy(own), copy(resolver)
    other.wrapped_func = function
    made.base_resolver = other
    return made
