"""A compiled operation: coerce, call, complete, in functions made for it."""

from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLObjectType,
    OperationType,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution.collect_fields import (
    FieldDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues

from compiled_graphql.arguments import Arguments
from compiled_graphql.calls import Calls
from compiled_graphql.operation import Operation
from compiled_graphql.run import MISSING, Run
from compiled_graphql.selections import Selections
from compiled_graphql.source import Source
from compiled_graphql.target import Target
from compiled_graphql.unsupported import Reason, Unsupported
from compiled_graphql.variables import Variables
from compiled_graphql.waiting import Coroutine, settle

FIELDS_MAX = 250

# As measured (`make bench ONLY=h`): bytes of a compiled operation by the length of its source.
BASE_SIZE = 8_000
SIZE_OF_CHARACTER = 20


class Compiled:
    """One operation with its conditions decided; call it with the variables as they were sent."""

    def __init__(
        self, target: Target, operation: Operation, flags: tuple[bool, ...],
        fields_max: int = FIELDS_MAX,
    ) -> None:  # fmt: skip
        """Compile.

        :raises Unsupported: with the reason
        """
        self.target = target
        self.operation = operation
        self._fragments = operation.details
        self._decided = VariableValues({}, dict(zip(operation.conditions, flags, strict=True)))
        self.variables = Variables(target, operation.node)
        names = {"Coroutine": Coroutine, "settle": settle, "plain": target.plain,
                 "MISSING": MISSING, "info": target.info}  # fmt: skip
        self.source = Source(names)
        self._main = self._compile(fields_max)

    async def __call__(self, raw: dict[str, Any], context: Any, root: Any) -> ExecutionResult:
        """What `graphql.execute` answers for the same."""
        run = Run(self, raw, context, root)
        try:
            run.values = self.variables.read(raw)
        except Exception:  # also RecursionError, and whatever a class of inputs raises
            found = self.variables.by_the_book(raw)
            if isinstance(found, list):
                return ExecutionResult(None, found)
            run.slowly(found)
        data: Any
        try:
            data = self._main(run, root, None)
            if data.__class__ is Coroutine:
                data = await data
        except GraphQLError as error:
            run.collected.add(error, None)
            data = None
        return ExecutionResult(data, run.collected.errors or None)

    @property
    def size(self) -> int:
        """About how many bytes it takes, its part of the document included."""
        return BASE_SIZE + SIZE_OF_CHARACTER * len(self.source.text)

    def executor(self, variables: VariableValues, context: Any, root: Any) -> Any:
        """The stock executor for a run of this operation."""
        target, node = self.target, self.operation.node
        executor: Any = target.schema.execution_context_class
        return executor(
            target.core,
            dict(self.operation.fragments),
            self._fragments,
            root,
            context,
            node,
            variables,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            is_awaitable=target.is_awaitable,
            hide_suggestions=target.hide_suggestions,
        )

    def _compile(self, fields_max: int) -> Any:
        node, core = self.operation.node, self.target.core
        root = core.get_root_type(node.operation)
        if root is None:
            raise Unsupported(Reason.OPERATION)
        grouped = collect_fields(core, self._fragments, self._decided, root, node).grouped_field_set
        calls = Calls(self.source, Arguments(self.source, self.variables))
        selections = Selections(self.target, self.source, calls, self._beneath, fields_max)
        if node.operation is OperationType.MUTATION:
            main = selections.write_serial(root, grouped)
        else:
            main = selections.write(root, grouped)
        self.source.run()
        selections.finish()
        self.variables.ready()
        return self.source.names[main]

    def _beneath(self, kind: GraphQLObjectType, details: list[FieldDetails]) -> GroupedFieldSet:
        return collect_subfields(
            self.target.core, self._fragments, self._decided, self.operation.node, kind, details
        ).grouped_field_set
