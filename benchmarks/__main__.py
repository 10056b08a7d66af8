"""`make bench`: what the platform does on this machine, against the same work by hand.

Short by default. Ratios are of one run; rates move with whatever else the machine does.
"""

import asyncio
import os
import platform
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from benchmarks import batches, expiry, over_http
from benchmarks.result import Row, as_json, show
from benchmarks.stand import Stand, stand

Case = Callable[[Stand, int], Awaitable[list[Row]]]

# Each takes the stand and how many times the short run it is to be. `young` needs an empty database
# and comes first.
CASES: Mapping[str, Case] = {
    "young": lambda on, times: batches.young(on),
    "batches": lambda on, times: batches.against_by_hand(on, 9 * times),
    "long": lambda on, times: batches.long_baskets(on, 7 * times),
    "singles": lambda on, times: over_http.singles(on, 3 * times, 2.5),
    "many": lambda on, times: over_http.many(on, 2 * times, 2.5),
    "balances": lambda on, times: over_http.balances(on, 3 * times, 2.0),
    "expiry": lambda on, times: expiry.sweeping(on, 4_000 * times),
}
LONG = 5


def main(
    only: Annotated[list[str] | None, typer.Option(help="Run this case alone.")] = None,
    long: Annotated[bool, typer.Option(help="Five times as many rounds.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write the results there, too.")] = None,
) -> None:
    console = Console()
    rows = asyncio.run(_run(only or list(CASES), LONG if long else 1, console))
    show(rows, console)
    if json is not None:
        json.write_bytes(orjson.dumps({"machine": _machine(), "rows": as_json(rows)}, option=2))


async def _run(names: list[str], times: int, console: Console) -> list[Row]:
    rows: list[Row] = []
    async with stand() as on:
        for name in CASES:
            if name in names:
                with console.status(name):
                    rows += await CASES[name](on, times)
    return rows


def _machine() -> dict[str, Any]:
    return {"cores": os.cpu_count(), "python": platform.python_version(), "os": platform.system()}


if __name__ == "__main__":
    typer.run(main)
