"""graphql-core's executor as the oracle of each operation that an API in this process runs.

With LOYALTY_TEST_ORACLE, each operation is compiled at first sight and run with a tape before its
resolvers. Then the stock executor runs it with what is on the tape: both must have made the same of
it, or the test in which it ran fails. The run's summary says what was compared.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from graphql import ExecutionResult

from compiled_graphql import Compiled, Engine, Reason
from loyalty_graphql.compose import ComposedSchema
from loyalty_graphql.runner import Ready, Runner
from tests.compiled.both import error_shown
from tests.compiled.tape import TAPE, Tape, taped

# They are about when an operation is compiled: with the oracle, at first sight and for everyone; or
# about what it leaves behind, which the tape keeps.
LEFT_OUT = {
    "test_the_second_time_an_operation_runs_compiled",
    "test_nothing_is_compiled_for_strangers",
    "test_what_comes_again_is_compiled_once",
    "test_nothing_is_compiled_or_kept_for_strangers",
    "test_strangers_use_what_is_there_but_compile_no_variant_of_it",
    "test_a_page_leaves_nothing_to_the_garbage_collector",
}
SIGHTS = {Reason.FIRST_SIGHT, Reason.NOT_KEPT}


class Oracle:
    """A plugin of pytest. `differences` has what did not agree; `counts` what was compared."""

    def __init__(self) -> None:
        self.differences: list[str] = []
        self.counts: Counter[str] = Counter()
        self._patch = pytest.MonkeyPatch()

    def pytest_sessionstart(self) -> None:
        self.switch_on(self._patch)

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        left_out = [item for item in items if item.name in LEFT_OUT]
        items[:] = [item for item in items if item.name not in LEFT_OUT]
        config.hook.pytest_deselected(items=left_out)

    @pytest.fixture(autouse=True)
    def executors_agree(self) -> Iterator[None]:
        """Each test's operations came out of both executors alike."""
        yield
        differences, self.differences = self.differences, []
        assert differences == []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._patch.undo()
        told = getattr(session.config, "workeroutput", None)
        if told is not None:  # of xdist: the counts go to whoever sums them up
            told["oracle"] = dict(self.counts)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.counts.update(getattr(node, "workeroutput", {}).get("oracle", {}))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        counts = ", ".join(f"{name} {number:,}" for name, number in sorted(self.counts.items()))
        terminalreporter.write_line(f"operations on both executors: {counts}")

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
        self._count(ready, result, tape)
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

    def _count(self, ready: Ready, result: ExecutionResult, tape: Tape) -> None:
        self.counts["compared"] += 1
        self.counts[f"compared: {ready.operation.kind.value}"] += 1
        self.counts["compared: with errors"] += bool(result.errors)
        self.counts["compared: calls"] += sum(len(calls) for calls in tape.calls.values())


def _shown(result: ExecutionResult) -> tuple[bytes, list[Any]]:
    errors = sorted((error_shown(error) for error in result.errors or ()), key=repr)
    return orjson.dumps(result.data, default=repr), errors
