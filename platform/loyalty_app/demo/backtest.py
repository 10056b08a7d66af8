"""A back-test of the demo's year, in the servers of its data folder."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from loyalty.backtest.report import Report
from loyalty_app.alone import alone
from loyalty_app.backtests import command
from loyalty_app.backtests.both import Both
from loyalty_app.backtests.command import Wanted
from loyalty_app.prepare import prepare
from loyalty_app.problem import Problem
from loyalty_app.servers import servers
from loyalty_app.settings import Settings

DRAFT = Path(__file__).with_name("program.yaml")


def backtest(settings: Settings, wanted: Wanted, console: Console) -> tuple[Report, Both]:
    """Start the servers, walk both sides, and say how long the walking took.

    :raises Problem: nothing was replayed yet, or as `command.backtest`
    """
    if not settings.data_dir.exists():
        raise Problem(
            f"There is no replay in {settings.data_dir}", "Run `loyalty demo complete-journey`"
        )
    with alone(settings.data_dir), servers(settings) as found:
        ready, _ = asyncio.run(prepare(found))
        begun = time.monotonic()
        answer = command.backtest(ready, wanted, console)
        console.print(f"{time.monotonic() - begun:.1f} seconds")
        return answer


def verdict(both: Both) -> Iterator[str]:
    """What comparing the published side with the records came to."""
    if both.differing:
        yield f"{both.differing:,} of {both.compared:,} facts came to something else:"
        yield from both.differences[:10]
    else:
        yield f"Each of {both.compared:,} facts came to what was recorded, to the point."
