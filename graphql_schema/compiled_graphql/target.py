"""The schema that operations are compiled for, and how it is executed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import GraphQLSchema
from strawberry import Schema
from strawberry.execution import optimized_is_awaitable

from compiled_graphql.leaves import Leaves
from compiled_graphql.plain import Plain

if TYPE_CHECKING:
    from compiled_graphql.inputs import Inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`max_errors` and `hide_suggestions` are those of graphql-core's `execute`.

    `info` makes what a resolver's `info` parameter gets of (run, field, place).
    """

    schema: Schema
    inputs: "Inputs"
    info: Callable[..., Any]
    max_errors: int = 50
    hide_suggestions: bool = False
    is_awaitable: Callable[[Any], Any] = optimized_is_awaitable
    plain: Plain = field(default_factory=Plain)
    leaves: Leaves = field(default_factory=Leaves)

    @property
    def core(self) -> GraphQLSchema:
        return self.schema._schema
