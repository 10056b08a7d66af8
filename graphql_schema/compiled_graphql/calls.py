"""The call of a field's resolver, as an expression of generated code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import isasyncgenfunction
from typing import Any

from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from compiled_graphql.arguments import Arguments
from compiled_graphql.field import Field
from compiled_graphql.gate import Gated
from compiled_graphql.inputs import ByTheBook
from compiled_graphql.source import Source, named
from compiled_graphql.stock_parts import DEFINITION, is_resolver


@dataclass(frozen=True, slots=True)
class Call:
    """`waits`: it is a coroutine whatever comes of it. `check`: what stands before it.

    `before` are arguments that are worked out even before that, by the names that the call uses.
    """

    expression: str
    waits: bool = False
    check: str | None = None
    before: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Calls:
    source: Source
    arguments: Arguments

    def of(self, one: Field) -> Call:
        """How generated code gets the value of a field of `s`, in the run `R` at the place `p`."""
        resolve: Any = one.definition.resolve
        check = None
        if isinstance(resolve, Gated):
            resolve, check = resolve.resolve, self.source.constant(resolve.check)
        definition: Any = one.definition.extensions.get(DEFINITION)
        if not _is_as_usual(definition, resolve, one):
            return self._stock(one)
        if not definition.base_resolver:
            return self._attribute(definition, check)
        try:
            return self._resolver(one, definition, definition.base_resolver, check)
        except ByTheBook:
            return self._stock(one)

    def _stock(self, one: Field) -> Call:
        return Call(f"{self.source.constant(one)}.resolve(R, s, p)")

    def _attribute(self, definition: StrawberryField, check: str | None) -> Call:
        if definition.default_resolver is getattr and definition.python_name.isidentifier():
            return Call(f"s.{named(definition.python_name)}", check=check)
        get = self.source.constant(definition.default_resolver)
        return Call(f"{get}(s, {self.source.constant(definition.python_name)})", check=check)

    def _resolver(
        self, one: Field, definition: StrawberryField, resolver: StrawberryResolver[Any],
        check: str | None,
    ) -> Call:  # fmt: skip
        given = self.arguments.of(one, definition)
        sources = (resolver.parent_parameter, resolver.root_parameter)
        given += [f"{name}=s" for name in sorted({named(each.name) for each in sources if each})]
        if resolver.info_parameter is not None:
            name = named(resolver.info_parameter.name)
            given.append(f"{name}=info(R, {self.source.constant(one)}, p)")
        first = ["s"] if resolver.self_parameter else []
        function = self.source.constant(resolver.wrapped_func)
        expression = f"{function}({', '.join([*first, *given])})"
        return Call(expression, resolver.is_async, check, self.arguments.before)


def _is_as_usual(definition: Any, resolve: Any, one: Field) -> bool:
    """Whether the resolver is called as strawberry's own wrapper calls one without extensions."""
    if not isinstance(definition, StrawberryField) or not is_resolver(resolve):
        return False
    if type(definition).get_result is not StrawberryField.get_result or definition.extensions:
        return False
    resolver = definition.base_resolver
    if resolver is None:
        return True
    if type(resolver).__call__ is not StrawberryResolver.__call__:
        return False
    if not callable(resolver.wrapped_func) or isasyncgenfunction(resolver.wrapped_func):
        return False
    converter = one.target.schema.schema_converter
    return not converter._get_field_exception_handlers(definition)
