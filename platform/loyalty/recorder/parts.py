"""A large batch in parts: while Postgres writes one, the next is decided.

All parts belong to one transaction, so they stand or fall together. What one part changed in memory
the next one sees, as within a part.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from loyalty.recorder.each import Outcome, settle_each
from loyalty.recorder.meanwhile import BREATH
from loyalty.settlement.batch import Batch
from loyalty.settlement.request import Change, Request

PART = 125  # requests; what Postgres has only then to begin with must be small beside the whole
LAST = 25


def starts_of(count: int) -> list[int]:
    """Where the second part and those after it begin.

    Towards the end each is half as large as what is left, for nobody works while Postgres writes
    the last one.
    """
    starts, start = [], 0
    while (left := count - start) > 2 * LAST:
        start += min(PART, left // 2)
        starts.append(start)
    return starts


async def settle_in_parts(
    batch: Batch,
    requests: Sequence[Request],
    changes: list[Change],
    write: Callable[[], Coroutine[Any, Any, None]],
    *,
    whole: bool = False,
) -> list[Outcome]:
    """Settle requests in their order; `write` writes what was decided since it was last called.

    The rows of the last part, or of the `whole`, are left to the caller.

    :raises NeedLots, NeedCounter, NeedPeriod, Cut: as `settle_each`
    """
    outcomes: list[Outcome] = []
    writing: asyncio.Task[None] | None = None
    starts = set() if whole else set(starts_of(len(requests)))
    try:
        for index, request in enumerate(requests):
            if index in starts:
                if writing is not None:
                    await writing
                writing = asyncio.create_task(write())
            if index and index % BREATH == 0:
                await asyncio.sleep(0)
            outcomes.append(settle_each(batch, request, index, changes))
    finally:
        if writing is not None:
            await writing  # nobody else may use its connection before
    return outcomes
