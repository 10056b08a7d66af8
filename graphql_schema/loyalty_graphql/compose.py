"""One schema out of the core types and what plugins contribute."""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, TypeGuard, cast

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    create_source_event_stream,
    execute,
)
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types
from strawberry.types import get_object_definition
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from loyalty.plugin import Plugin
from loyalty_graphql.access import rule_of
from loyalty_graphql.descriptions import describe, undescribed
from loyalty_graphql.directive import directives_of
from loyalty_graphql.guard import guard, unauthorised
from loyalty_graphql.scalars import SCALARS

# A request that is wrong in a hundred places is told about the first few.
COERCION_ERRORS_MAX = 5
HIDE_SUGGESTIONS = True

Source = tuple[type, str]
"""A part of a root type, and whose it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What the platform itself puts into the schema: root types in parts, and further types."""

    query: Sequence[type]
    mutation: Sequence[type] = ()
    subscription: Sequence[type] = ()
    types: Sequence[type] = ()
    fields: Mapping[type, tuple[Any, ...]] = dataclasses.field(default_factory=dict)


class ComposedSchema(strawberry.Schema):
    """A schema whose types also carry the fields of plugins, whose fields are all guarded."""

    def __init__(
        self, *, contributed: Mapping[type, Sequence[StrawberryField]], **options: Any
    ) -> None:
        self._contributed = contributed
        self._is_described = False
        super().__init__(**options)
        guard(self.core)

    @property
    def core(self) -> GraphQLSchema:
        """The finished schema as graphql-core has it."""
        return self._schema

    def describe(self) -> None:
        """Fill in what docstrings say: for whoever shows the schema, which is not needed to run."""
        if not self._is_described:
            describe(self.core)
            self._is_described = True

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        contributed = self._contributed.get(type_definition.origin, ())
        return [_with_access(field) for field in (*type_definition.fields, *contributed)]

    async def watch(
        self,
        document: DocumentNode,
        *,
        context: object,
        operation_name: str | None = None,
        variables: dict[str, Any] | None = None,
    ) -> AsyncIterable[Any] | list[GraphQLError]:
        """The events of a subscription, each to be `run` as the root with a context of its own.

        Not graphql-core's `subscribe`, which has one context for all events: what a loader read for
        the first of them would be the answer for ever.
        """
        executor = self.execution_context_class.build(
            self.core,
            document,
            context_value=context,
            raw_variable_values=variables,
            operation_name=operation_name,
            hide_suggestions=HIDE_SUGGESTIONS,
            max_coercion_errors=COERCION_ERRORS_MAX,
        )
        if isinstance(executor, list):
            return executor
        source = create_source_event_stream(executor)
        events = await source if isawaitable(source) else source
        return events.errors or [] if isinstance(events, ExecutionResult) else events

    async def run(
        self,
        document: DocumentNode,
        *,
        context: object,
        operation_name: str | None = None,
        variables: dict[str, Any] | None = None,
        root: object = None,
    ) -> ExecutionResult:
        """Execute a document that was validated before.

        Straight to the executor: strawberry's own `execute` builds its extension runner anew for
        each request, to parse and validate again.
        """
        result = execute(
            self.core,
            document,
            root_value=root,
            context_value=context,
            variable_values=variables,
            operation_name=operation_name,
            executor_class=self.execution_context_class,
            is_awaitable=cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable),
            hide_suggestions=HIDE_SUGGESTIONS,
            max_coercion_errors=COERCION_ERRORS_MAX,
        )
        return await result if isawaitable(result) else result


def compose(core: Core, plugins: Sequence[Plugin] = ()) -> ComposedSchema:
    """Build the schema for this set of plugins.

    :raises ValueError: two of them claim one field
    """
    parts = {p.name: p.graphql for p in sorted(plugins, key=lambda p: p.name)}
    queries = _sources(core.query, {name: part.query for name, part in parts.items()})
    mutations = _sources(core.mutation, {name: part.mutation for name, part in parts.items()})
    return ComposedSchema(
        contributed=_contributed(
            ("the core", core.fields),
            *((f"plugin {name}", part.fields) for name, part in parts.items()),
        ),
        query=_root("Query", queries),
        mutation=_root("Mutation", mutations),
        subscription=_root("Subscription", _sources(core.subscription, {})),
        types=[*core.types, *(kind for part in parts.values() for kind in part.types)],
        config=StrawberryConfig(scalar_map=SCALARS),
    )


def sdl(schema: ComposedSchema) -> str:
    """The schema as text, its types by name. The schema itself stays unsorted: sorting it gives
    strawberry other type objects than those its unions know."""
    schema.describe()
    return schema.as_str() + "\n"


def undeclared(schema: ComposedSchema) -> list[str]:
    """Whatever in the schema is not described or not authorised, one line each."""
    schema.describe()
    lacking = [f"{place} has no description" for place in undescribed(schema.core)]
    return sorted([*lacking, *unauthorised(schema.core)])


def _sources(core: Sequence[type], of_plugins: Mapping[str, type | None]) -> list[Source]:
    plugins = [(kind, f"plugin {name}") for name, kind in of_plugins.items() if kind is not None]
    return [*((kind, "the core") for kind in core), *plugins]


def _root(name: str, sources: Sequence[Source]) -> type | None:
    if not sources:
        return None
    definitions = [(get_object_definition(kind, strict=True), by) for kind, by in sources]
    _refuse_clashes(name, ((field, by) for d, by in definitions for field in d.fields))
    return merge_types(name, tuple(kind for kind, _ in sources))


def _contributed(
    *parts: tuple[str, Mapping[type, Sequence[StrawberryField]]],
) -> dict[type, list[StrawberryField]]:
    contributed: defaultdict[type, list[tuple[StrawberryField, str]]] = defaultdict(list)
    for name, fields in parts:
        for kind, more in fields.items():
            contributed[kind] += [(one, name) for one in more]
    for kind, given in contributed.items():
        core = get_object_definition(kind, strict=True)
        _refuse_clashes(core.name, [*((field, "the core") for field in core.fields), *given])
    return {kind: [field for field, _ in given] for kind, given in contributed.items()}


def _refuse_clashes(name: str, fields: Iterable[tuple[StrawberryField, str]]) -> None:
    claims = [(_shown(field), by) for field, by in fields]
    counts = Counter(field for field, _ in claims)
    clashes = [f"{name}.{field} by {by}" for field, by in claims if counts[field] > 1]
    if clashes:
        raise ValueError(f"one field is given more than once: {', '.join(clashes)}")


def _shown(field: StrawberryField) -> str:
    return field.graphql_name or to_camel_case(field.python_name)


def _with_access(field: StrawberryField) -> StrawberryField:
    """The field with its rule shown. A copy: the same field may stand in several schemas."""
    rule = rule_of(field)
    if rule is None:
        return field
    shown = copy(field)
    shown.directives = [*field.directives, *directives_of(rule)]
    return shown
