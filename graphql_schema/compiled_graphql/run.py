"""One run of a compiled operation: its variables, its errors, and the stock executor if need be."""

from typing import TYPE_CHECKING, Any

from graphql import GraphQLResolveInfo
from graphql.execution.executor import CollectedErrors
from graphql.execution.values import VariableValues
from graphql.pyutils import Path

from compiled_graphql.waiting import Waiting, abandon, unrolled

if TYPE_CHECKING:
    from compiled_graphql.compiled import Compiled
    from compiled_graphql.field import Field

MISSING: Any = object()
"""A variable that was not sent."""


class Run:
    """`values` are the operation's variables in their order, as resolvers take them."""

    __slots__ = ("_kept", "_stock", "_taken", "_variables", "collected", "context", "plan", "raw",
                 "root", "values")  # fmt: skip

    def __init__(self, plan: "Compiled", raw: dict[str, Any], context: Any, root: Any) -> None:
        self.plan = plan
        self.raw = raw
        self.context = context
        self.root = root
        self.collected = CollectedErrors()
        self.values: list[Any] = []
        self._variables: VariableValues | None = None
        self._stock: Any = None
        self._taken: set[int] | None = None
        self._kept: set[Any] | None = None

    def slowly(self, variables: VariableValues) -> None:
        """Take the variables that graphql-core coerced: they are converted where they are used."""
        self._variables = variables
        self.values = self.plan.variables.slow(variables)

    def take(self, index: int) -> Any:
        """An input object or list for one call: each call gets its own, as it always did.

        :raises Exception: whatever its conversion raises, which is an error of the field
        """
        variables = self.plan.variables
        if self._variables is not None and self.values[index] is not MISSING:
            return variables.convert(index, self.values[index])
        if self._taken is None:
            self._taken = set()
        if index in self._taken:
            return variables.fresh(index, self.raw)
        self._taken.add(index)
        return self.values[index]

    @property
    def stock(self) -> Any:
        """graphql-core's executor for this very run; errors go to the same list."""
        if self._stock is None:
            self._stock = self.plan.executor(self.variables, self.context, self.root)
            self._stock.collected_errors = self.collected
        return self._stock

    @property
    def variables(self) -> VariableValues:
        """The operation's variables as graphql-core coerces them."""
        if self._variables is None:
            found = self.plan.variables.by_the_book(self.raw)
            if isinstance(found, list):
                raise RuntimeError("variables were taken that graphql-core refuses")
            return found
        return self._variables

    def raw_info(self, field: "Field", path: Path) -> GraphQLResolveInfo[Any]:
        info: GraphQLResolveInfo[Any] = self.stock.build_resolve_info(
            field.definition, field.nodes, field.parent, path
        )
        return info

    def abandon(self, waiting: Waiting | None, further: Any = ()) -> None:
        """Leave alone what waits at a level that failed."""
        if self._kept is None:
            self._kept = set()
        abandon([*unrolled(waiting)[1], *further], self._kept)
