"""graphql-core's executor as the oracle of each operation that an API in this process runs.

Switched on, each operation is compiled at first sight and run with a tape before its resolvers.
Then the stock executor runs it with what is on the tape: both must have made the same of it.
"""

import asyncio
from collections import Counter
from typing import Any

import orjson
import pytest
from graphql import ExecutionResult

from compiled_graphql import Compiled, Engine, Reason
from loyalty_graphql.compose import ComposedSchema
from loyalty_graphql.runner import Ready, Runner
from tests.compiled.both import error_shown
from tests.compiled.tape import TAPE, Tape, taped

SIGHTS = {Reason.FIRST_SIGHT, Reason.NOT_KEPT}


class Oracle:
    """`differences` has what did not agree; `counts` how many operations were compared."""

    def __init__(self) -> None:
        self.differences: list[str] = []
        self.counts: Counter[str] = Counter()

    def switch_on(self, patch: pytest.MonkeyPatch) -> None:
        compose, execute, find = ComposedSchema.__init__, Runner._execute, Engine.find

        def composed(schema: ComposedSchema, **options: Any) -> None:
            compose(schema, **options)
            taped(schema)

        def found(engine: Engine, *asked: Any, **options: Any) -> Compiled | Reason:
            options["is_kept"] = True
            first = find(engine, *asked, **options)
            return find(engine, *asked, **options) if first in SIGHTS else first

        async def executed(runner: Runner, ready: Ready, context: Any, root: Any) -> Any:
            tape = Tape()
            token = TAPE.set(tape)
            try:
                result = await execute(runner, ready, context, root)
                if not ready.is_subscription:
                    await self._compare(runner, ready, context, result, tape)
            finally:
                TAPE.reset(token)
                tape.ended.set()
            return result

        patch.setattr(ComposedSchema, "__init__", composed)
        patch.setattr(Engine, "find", found)
        patch.setattr(Runner, "_execute", executed)

    async def _compare(
        self, runner: Runner, ready: Ready, context: Any, result: ExecutionResult, tape: Tape
    ) -> None:
        found = runner._engine.find(ready.text, ready.document, ready.name, ready.variables)
        if isinstance(found, Reason):
            self.counts[found.value] += 1
            return
        self.counts["compared"] += 1
        tape.is_playing = True
        stock = await runner._schema.run(
            ready.document,
            context=context,
            operation_name=ready.name,
            variables=ready.variables,
        )
        await asyncio.sleep(0)
        ours, theirs = _shown(result), _shown(stock)
        failed = bool(result.errors)  # then some calls were cut short, here or there
        if ours != theirs or (not failed and (tape.unheard or tape.left())):
            self.differences.append(
                f"{ready.text}\n{ready.variables}\ncompiled: {ours}\nstock: {theirs}\n"
                f"not asked by compiled: {tape.unheard}\nnot asked by stock: {tape.left()}"
            )


def _shown(result: ExecutionResult) -> tuple[bytes, list[Any]]:
    errors = sorted((error_shown(error) for error in result.errors or ()), key=repr)
    return orjson.dumps(result.data, default=repr), errors
