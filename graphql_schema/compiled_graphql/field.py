"""One field of a compiled selection: what generated code calls where a value is not as expected."""

from collections.abc import Callable
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    is_non_null_type,
    located_error,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path
from strawberry.execution import optimized_is_awaitable as is_awaitable

from compiled_graphql.paths import Place, path_of
from compiled_graphql.run import Run
from compiled_graphql.target import Target
from compiled_graphql.waiting import Waiting

Complete = Callable[[Run, Any, Place], Any]
"""Turns a resolved value into its part of the answer, or into a coroutine of that."""


class Field:
    """A field, merged from all its mentions. `complete` is set once its selection is compiled."""

    __slots__ = ("complete", "definition", "details", "key", "name", "nodes", "nullable", "parent",
                 "plain", "target", "type")  # fmt: skip

    def __init__(
        self, key: str, parent: GraphQLObjectType, definition: GraphQLField,
        details: list[FieldDetails], target: Target,
    ) -> None:  # fmt: skip
        self.key = key
        self.parent = parent
        self.definition = definition
        self.details = details
        self.nodes: list[FieldNode] = [each.node for each in details]
        self.name = self.nodes[0].name.value
        self.type: GraphQLOutputType = definition.type
        self.nullable = not is_non_null_type(definition.type)
        self.target = target
        self.plain = target.plain
        self.complete: Complete

    def path(self, within: Place) -> Path:
        return Path(path_of(within), self.key, self.parent.name)

    def fail(self, run: Run, raw: Exception, within: Place, waiting: Waiting | None) -> Any:
        """Note an error and answer null, or let it go on to what may be null.

        :raises GraphQLError: the error with its place, where the field may not be null
        """
        path = self.path(within)
        error = located_error(raw, self.nodes, path.as_list())
        if not self.nullable:
            if waiting is not None:
                run.abandon(waiting)
            raise error
        run.collected.add(error, path)
        return None

    def rare(self, run: Run, value: Any, within: Place) -> Any:
        """Complete a value that may be anything: an error, awaitable, of a class not known yet."""
        if isinstance(value, Exception):
            raise value
        if is_awaitable(value):
            return self.awaited(run, value, within)
        return self.settled(run, value, within)

    def settled(self, run: Run, value: Any, within: Place) -> Any:
        """Complete a value that was awaited or need not be."""
        if isinstance(value, Exception):
            raise value
        self.plain.learn(value)
        return self.complete(run, value, (within, self.key, self.parent.name))

    async def late(self, run: Run, value: Any, within: Place) -> Any:
        """The same where more may be awaited: also what a scalar let through as it was."""
        completed = self.settled(run, value, within)
        return await completed if is_awaitable(completed) else completed

    async def awaited(self, run: Run, value: Any, within: Place) -> Any:
        try:
            return await self.late(run, await value, within)
        except Exception as error:
            return self.fail(run, error, within, None)

    async def guarded(self, run: Run, completed: Any, within: Place) -> Any:
        """What is still to come, and null where it fails."""
        try:
            return await completed
        except Exception as error:
            return self.fail(run, error, within, None)

    def resolve(self, run: Run, source: Any, within: Place) -> Any:
        """Call the resolver as graphql-core does: with arguments by its book and all of `info`."""
        path = self.path(within)
        stock = run.stock
        info = run.raw_info(self, path)
        given: dict[str, Any] = (
            get_argument_values(
                self.definition,
                self.nodes[0],
                stock.variable_values,
                self.details[0].fragment_variable_values,
                self.target.hide_suggestions,
            )
            if self.definition.args or self.nodes[0].arguments
            else {}
        )
        resolve = self.definition.resolve or stock.field_resolver
        return resolve(source, info, **given)
