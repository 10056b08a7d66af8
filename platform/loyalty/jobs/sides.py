"""Facts of different members recorded side by side, in small parts, at the pace of the visit.

While Postgres works on one batch, Python works on the other. Whatever is in one lane keeps its
order; a part holds its members' locks for as long as it takes, and no longer.
"""

import asyncio
import time
from collections.abc import Sequence
from uuid import UUID

from loyalty.jobs.visit import Visit
from loyalty.recorder.each import Outcome
from loyalty.settlement.request import Request


async def record(
    visit: Visit, requests: Sequence[Request], lanes: Sequence[UUID | None]
) -> list[Outcome]:
    """The outcomes in the order of the requests, each in the lane of its place; where one has
    none, all of them keep their order."""
    if not requests:
        return []
    if None in lanes:
        return await _in_parts(visit, requests)
    sides: list[list[int]] = [[] for _ in range(visit.pace.sides)]
    for at, lane in enumerate(lanes):
        assert lane is not None
        sides[lane.int % len(sides)].append(at)
    # All to their ends: a batch that is under way is not cut off because another one failed.
    ended = await asyncio.gather(
        *(_in_parts(visit, [requests[at] for at in side]) for side in sides), return_exceptions=True
    )
    found: dict[int, Outcome] = {}
    for side, end in zip(sides, ended, strict=True):
        if isinstance(end, BaseException):
            raise end
        found.update(zip(side, end, strict=True))
    return [found[at] for at in range(len(requests))]


async def _in_parts(visit: Visit, requests: Sequence[Request]) -> list[Outcome]:
    done: list[Outcome] = []
    while part := requests[len(done) : len(done) + visit.pace.part]:
        begun = time.monotonic()
        done += await visit.record(part, whole=True)
        await visit.pace.rest(time.monotonic() - begun, len(part))
    return done
