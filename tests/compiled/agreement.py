"""Made-up operations on both executors: each must make the same of them, and ask the same."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import DocumentNode, parse, specified_rules, validate
from strawberry import Schema
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from compiled_graphql import Compiled, Engine, Reason
from tests.compiled.both import Outcome, by_stock, outcome
from tests.compiled.documents import Made, Maker
from tests.compiled.fakes import WORLD, World

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
ERRORS_MAX = 5
CALM = 0.5  # of the operations: in them nothing fails
TICKS_MAX = 500


@dataclass(slots=True)
class Agreement:
    """`counts` says what was compared, so that nobody takes refusals for agreement."""

    schema: Schema
    engine: Engine = field(init=False)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.engine = Engine(self.schema, max_errors=ERRORS_MAX, hide_suggestions=True)

    async def of(self, seed: int) -> str | None:
        """What differs in the operation of a seed; None where both agree."""
        self.counts["asked"] += 1
        random = Random(seed)
        made = Maker(self.schema._schema, random).make()
        document = parse(made.text)
        if validate(self.schema._schema, document, RULES):
            self.counts["not valid"] += 1
            return None
        compiled = self._compiled(made, document)
        if isinstance(compiled, Reason):
            self.counts[compiled.value] += 1
            return None
        calm = random.random() < CALM
        theirs = await self._run(seed, calm, made, document, None)
        # Twice: the second time it knows the classes that it has seen.
        for _ in range(2):
            ours = await self._run(seed, calm, made, document, compiled)
            if ours != theirs:
                return f"seed {seed}\n{made.text}\n{made.variables}\n{theirs}\n{ours}"
        self._count(theirs)
        return None

    def _compiled(self, made: Made, document: DocumentNode) -> Compiled | Reason:
        self.engine.find(made.text, document, None, made.variables)
        return self.engine.find(made.text, document, None, made.variables)

    async def _run(
        self, seed: int, calm: bool, made: Made, document: DocumentNode, compiled: Compiled | None
    ) -> Outcome | str:
        world = World(self.schema._schema, seed, calm)
        token = WORLD.set(world)
        try:
            if compiled is not None:
                result = await compiled(made.variables, "the context", None)
            else:
                result = await by_stock(
                    self.schema, document, made.variables, "the context",
                    max_coercion_errors=ERRORS_MAX, hide_suggestions=True,
                )  # fmt: skip
            found: Outcome | str = outcome(result, world.log)
        except asyncio.CancelledError:  # a loader's batch was cancelled with the first who waited
            found = f"cancelled after {world.log}"
        finally:
            await _all_else_done()
            WORLD.reset(token)
        return found

    def _count(self, found: Outcome | str) -> None:
        self.counts["compared"] += 1
        if isinstance(found, str):
            self.counts["cancelled"] += 1
            return
        self.counts["with errors" if found.errors else "without errors"] += 1
        self.counts["with data"] += found.data != b"null"
        self.counts["calls"] += len(found.log)
        self.counts["batches"] += sum(1 for each in found.log if each[0] == "batch")


async def _all_else_done() -> None:
    """Let those end that were abandoned: they still ask."""
    before: set[Any] = {asyncio.current_task()}
    for _ in range(TICKS_MAX):
        if asyncio.all_tasks() <= before:
            return
        await asyncio.sleep(0)
