"""One operation on both executors, and what each of them made of it."""

from dataclasses import dataclass
from typing import Any

import orjson
from graphql import DocumentNode, ExecutionResult, execute
from strawberry import Schema
from strawberry.execution import optimized_is_awaitable

from compiled_graphql import Compiled


@dataclass(slots=True)
class Outcome:
    """The answer's bytes, its errors in their order, and what resolvers were asked."""

    data: bytes
    errors: list[Any]
    log: list[Any]


async def by_stock(
    schema: Schema, document: DocumentNode, variables: dict[str, Any], context: Any,
    name: str | None = None, **options: Any,
) -> ExecutionResult:  # fmt: skip
    result = execute(
        schema._schema,
        document,
        context_value=context,
        variable_values=variables,
        operation_name=name,
        executor_class=schema.execution_context_class,
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
        **options,
    )
    return result if isinstance(result, ExecutionResult) else await result


async def by_compiled(
    compiled: Compiled, variables: dict[str, Any], context: Any
) -> ExecutionResult:
    return await compiled(variables, context, None)


def outcome(result: ExecutionResult, log: list[Any]) -> Outcome:
    data = orjson.dumps(result.data, default=repr)
    return Outcome(data, [error_shown(error) for error in result.errors or ()], log)


def error_shown(error: Any) -> Any:
    cause = error.original_error
    return [error.message, error.path, [place.formatted for place in error.locations or ()],
            error.extensions, type(cause).__name__, repr(cause)[:80]]  # fmt: skip
