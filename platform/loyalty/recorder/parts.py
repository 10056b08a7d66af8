"""A large batch in parts: while Postgres writes one, the next is decided.

Whenever Postgres has nothing to do it is handed what is decided by then, so neither waits for the
other until the end. All parts belong to one transaction: they stand or fall together. What one part
changed in memory the next one sees, as within a part.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from loyalty.recorder.each import Outcome, settle_each
from loyalty.recorder.meanwhile import breathe
from loyalty.settlement.batch import Batch
from loyalty.settlement.need_period import NeedPeriod, Period
from loyalty.settlement.request import Change, Request

LEAST = 25  # requests; what Postgres only has to begin with must be small beside a part


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
    periods: list[Period] = []
    writing: asyncio.Task[None] | None = None
    large = not whole and len(requests) > 2 * LEAST
    try:
        for index, request in enumerate(requests):
            if index and index % LEAST == 0:
                await breathe()
                if large and not periods and (writing is None or writing.done()):
                    if writing is not None:
                        await writing
                    writing = asyncio.create_task(write())
                    await asyncio.sleep(0)  # it is sent
            try:
                outcomes.append(settle_each(batch, request, index, changes))
            except NeedPeriod as need:  # what others need beside is asked for at once
                periods += need.periods
            batch.book.stands()  # it either came to an outcome or left nothing
    finally:
        if writing is not None:
            await writing  # nobody else may use its connection before
    if periods:
        raise NeedPeriod(*periods)
    return outcomes
