"""A large batch in parts: while Postgres writes one, the next is decided.

All parts belong to one transaction, so they stand or fall together. What one part changed in memory
the next one sees, as within a part.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from loyalty.recorder.each import Outcome, settle_each
from loyalty.settlement.batch import Batch
from loyalty.settlement.request import Change, Request

PART = 125
BREATH = 25  # requests; then everybody else in this process has a turn, also what is being sent


async def settle_in_parts(
    batch: Batch,
    requests: Sequence[Request],
    changes: list[Change],
    write: Callable[[], Coroutine[Any, Any, None]],
) -> list[Outcome]:
    """Settle requests in their order; `write` writes what was decided since it was last called.

    The rows of the last part are left to the caller.

    :raises NeedLots, Cut: as `settle_each`
    """
    outcomes: list[Outcome] = []
    writing: asyncio.Task[None] | None = None
    try:
        for index, request in enumerate(requests):
            if index and index % PART == 0:
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
