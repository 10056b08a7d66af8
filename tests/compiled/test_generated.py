"""Operations made up over the whole schema: the compiled and the stock executor agree on each.

Data byte for byte, errors with message, path, places and cause in their order, what resolvers and
guards were asked and in which order, and the batches of a loader. The long run is
`LOYALTY_COMPILED_OPERATIONS=20000`.
"""

import asyncio
import gc
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from loyalty_graphql.compose import ComposedSchema
from tests.compiled.agreement import Agreement

OPERATIONS = int(os.environ.get("LOYALTY_COMPILED_OPERATIONS", "60"))
AT_ONCE = 20  # an event loop serves so many


# Whatever is made up and never asked for is never awaited; the collector comes by when it likes.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Of the last operations too: nothing is left for whoever collects without these filters."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def agreement(whole_schema: ComposedSchema) -> Agreement:
    return Agreement(whole_schema)


# Seeds that once told of a mistake: a scalar that lets an awaitable through, a guard asked before
# its field's arguments were coerced, a list of texts from a coroutine, a batch of its own.
@example(seed=105)
@example(seed=1546)
@example(seed=2173)
@example(seed=3457)
@example(seed=11674)
@given(seed=st.integers(0, 2**32 - 1))
@settings(
    max_examples=-(-OPERATIONS // AT_ONCE),
    derandomize=OPERATIONS <= 1_000,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # a seed says nothing smaller than it is
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_both_executors_agree(agreement: Agreement, seed: int) -> None:
    seeds = range(seed, seed + AT_ONCE)
    found = asyncio.run(_differences(agreement, seeds))
    gc.collect()
    assert found == []


async def _differences(agreement: Agreement, seeds: range) -> list[str]:
    return [each for seed in seeds if (each := await agreement.of(seed)) is not None]


def test_enough_of_them_said_something(agreement: Agreement) -> None:
    """Most were compiled, and most of these had data, calls that failed and batches among them."""
    counts = agreement.counts
    sys.stdout.write(f"{dict(counts)}\n")
    assert counts["compared"] > 0.85 * counts["asked"]
    assert counts["with data"] > 0.5 * counts["compared"]
    assert counts["with errors"] > 0.2 * counts["compared"]
    assert counts["calls"] > 2 * counts["compared"]
    assert counts["batches"] > 0
