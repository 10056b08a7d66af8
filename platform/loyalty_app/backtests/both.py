"""Both sides of a back-test at the same time, each in a process of its own."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from loyalty.backtest.side import Side
from loyalty.backtest.tally import Tally
from loyalty_app.backtests.order import Order, Which
from loyalty_app.problem import Problem
from loyalty_app.settings import Settings

LINE_MAX = 1 << 30  # a side's last line holds a sum for every member
PROCESS = (sys.executable, "-m", "loyalty_app.backtests.side_process")

Progress = Callable[[Which, int, int], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """The sides; and what comparing the published one with the records came to."""

    published: Side
    draft: Side
    compared: int = 0
    differing: int = 0
    differences: tuple[str, ...] = ()


async def both(settings: Settings, order: Order, zone: ZoneInfo, progress: Progress) -> Both:
    """Walk both sides; cancelled or failed, neither process is left behind.

    :raises Problem: a side's process ended without an answer
    """
    tasks = [asyncio.create_task(_side(settings, order, which, progress)) for which in Which]
    try:
        found, draft = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return Both(
        published=_loaded(order, zone, found), draft=_loaded(order, zone, draft),
        compared=found["compared"], differing=found["differing"],
        differences=tuple(found["differences"]),
    )  # fmt: skip


def _loaded(order: Order, zone: ZoneInfo, answer: Mapping[str, Any]) -> Side:
    tally = Tally(program=order.program, zone=zone, since=order.since)
    return Side.load(answer["side"], tally)


async def _side(
    settings: Settings, order: Order, which: Which, progress: Progress
) -> Mapping[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *PROCESS,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_MAX,
        env={**os.environ, **settings.environment()},
        start_new_session=True,  # Ctrl-C reaches the parent alone
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        # Kept open: the process ends when it closes, however this one comes to its end.
        process.stdin.write(orjson.dumps({"order": order.dump(), "which": which}) + b"\n")
        await process.stdin.drain()
        async for line in process.stdout:
            said: dict[str, Any] = orjson.loads(line)
            if "side" in said:
                return said
            await progress(which, said["done"], said["total"])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        process.stdin.close()
    raise Problem(
        f"The {which} side of the back-test ended with exit code {process.returncode}",
        "Its last messages above say why",
    )
