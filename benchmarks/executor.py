"""The executor by itself: compiled operations against graphql-core's, without any server."""

import asyncio
import gc
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import orjson
import strawberry
from graphql import DocumentNode, ExecutionResult, execute, parse
from strawberry import Info, Schema
from strawberry.dataloader import DataLoader
from strawberry.execution import optimized_is_awaitable

from benchmarks.documents import Written, written
from benchmarks.result import Bar, Result, Row
from compiled_graphql import Compiled, Engine
from loyalty_app.installed import shipped
from loyalty_graphql.compose import compose
from loyalty_graphql.core import CORE

ITEMS = 50
SECONDS_EACH = 0.2  # of a way in a round
COMPILE_MAX_MS = 10.0

Answer = Callable[[], Awaitable[ExecutionResult]]


@dataclass(slots=True)
class Context:
    loader: DataLoader[int, str]


@strawberry.type
class Item:
    number: int
    unit: str
    available: str
    pending: str
    share: float
    is_open: bool
    id: strawberry.ID

    @strawberry.field
    async def loaded(self, info: Info[Context, None]) -> str:
        return await info.context.loader.load(self.number)


@strawberry.type
class Query:
    @strawberry.field
    def items(self, first: int) -> list[Item]:
        return [
            Item(number=n, unit="points", available="12", pending="0", share=0.5, is_open=True,
                 id=strawberry.ID(str(n)))
            for n in range(first)
        ]  # fmt: skip


PLAIN = "query ($n: Int!) { items(first: $n) { number unit available pending share isOpen id } }"
LOADED = "query ($n: Int!) { items(first: $n) { number unit available pending share id loaded } }"


async def alone(rounds: int) -> Result:
    """50 objects of 7 fields: all of them attributes, and one of them behind a dataloader."""
    rows, bars = [], []
    for case, text, limit in (("attributes", PLAIN, 15.0), ("a dataloader", LOADED, 4.0)):
        stock, compiled = await _by_turns(*await _ways(text), rounds)
        gain = round(stock / compiled, 1)
        rows.append(_row(f"50 x 7, {case}: compiled", compiled, gain))
        rows.append(_row(f"50 x 7, {case}: graphql-core", stock))
        bars.append(Bar(figure=f"times as fast, {case}", value=gain, limit=limit))
    return Result(case="g", ratio=bars[0].value, rows=rows, bars=bars)


async def _ways(text: str) -> tuple[Answer, Answer]:
    schema = Schema(query=Query)
    document, variables = parse(text), {"n": ITEMS}
    engine = Engine(schema)
    engine.find(text, document, None, variables)
    compiled = engine.find(text, document, None, variables)
    assert isinstance(compiled, Compiled)

    async def load(keys: list[int]) -> list[str]:
        return [str(key) for key in keys]

    def stock() -> Awaitable[ExecutionResult]:
        return executed(schema, document, variables, Context(DataLoader(load)))

    def ours() -> Awaitable[ExecutionResult]:
        return compiled(variables, Context(DataLoader(load)), None)

    theirs, mine = await stock(), await ours()
    if orjson.dumps(theirs.data) != orjson.dumps(mine.data) or theirs.errors or mine.errors:
        raise RuntimeError("the two executors answer differently")
    return stock, ours


async def executed(
    schema: Schema, document: DocumentNode, variables: dict[str, Any], context: Any
) -> ExecutionResult:
    result: Any = execute(
        schema._schema,
        document,
        context_value=context,
        variable_values=variables,
        executor_class=schema.execution_context_class,
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
    )
    found: ExecutionResult = result if isinstance(result, ExecutionResult) else await result
    return found


async def _by_turns(one: Answer, other: Answer, rounds: int) -> tuple[float, float]:
    """The median seconds of an answer, of each."""
    seconds: tuple[list[float], list[float]] = [], []
    for _ in range(rounds):
        for taken, way in zip(seconds, (one, other), strict=True):
            taken.append(await _seconds(way))
    return median(seconds[0]), median(seconds[1])


async def _seconds(way: Answer) -> float:
    begun, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - begun) < SECONDS_EACH:
        await way()
        count += 1
    return passed / count


def _row(case: str, seconds: float, gain: float | None = None) -> Row:
    return Row(case=case, unit="answers", rate=round(1 / seconds, 1), postgres_us=0,
               python_us=round(1e6 * seconds), ratio=gain)  # fmt: skip


async def compiling(rounds: int) -> Result:
    """What compiling costs: each document of docs and tests, and one that is seen first."""
    schema = compose(CORE, shipped())
    documents = written(schema.core)
    times = [(_compile_ms(schema, each), each) for each in documents]
    slowest = max(ms for ms, _ in times)
    first = await _first_sight(rounds)
    kib = _kept_kib(schema, documents)
    return Result(
        case="h",
        ratio=first,
        rows=[
            _row(f"compile a document ({len(times)} of docs and tests)",
                 median(ms for ms, _ in times) / 1e3),
        ],
        bars=[
            Bar(figure="ms to compile the slowest document", value=round(slowest, 2),
                limit=COMPILE_MAX_MS, most=True),
            Bar(figure="a document seen first, of graphql-core alone", value=first, limit=1.3,
                most=True),
        ],
        figures={"documents": len(times), "kib_a_document": kib},
    )  # fmt: skip


def _compile_ms(schema: Schema, written: Written) -> float:
    """CPU, the best of three, with the input types made anew: the first to use them pays."""
    best = float("inf")
    for _ in range(3):
        engine = Engine(schema)
        engine.find(written.text, written.document, written.name, {})
        begun = time.process_time()
        engine.find(written.text, written.document, written.name, {})
        best = min(best, time.process_time() - begun)
    return 1e3 * best


async def _first_sight(rounds: int) -> float:
    schema, variables = Schema(query=Query), {"n": 5}
    engine, count = Engine(schema), 0

    async def stock() -> ExecutionResult:
        return await executed(schema, parse(PLAIN), variables, None)

    async def seen_first() -> ExecutionResult:
        nonlocal count
        count += 1
        document = parse(PLAIN)
        found = engine.find(f"{PLAIN} # {count}", document, None, variables)
        assert not isinstance(found, Compiled)
        return await executed(schema, document, variables, None)

    theirs, ours = await _by_turns(stock, seen_first, rounds)
    await asyncio.sleep(0)
    return round(ours / theirs, 2)


def _kept_kib(schema: Schema, documents: Sequence[Written]) -> float:
    """What a compiled document keeps, its part of the parsed document included."""
    engine = Engine(schema)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    kept = []
    for each in documents:
        document = parse(each.text)
        engine.find(each.text, document, each.name, {})
        kept.append(engine.find(each.text, document, each.name, {}))
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return round((after - before) / 1024 / len(kept), 1)
