"""`make bench`: what the platform does on this machine, against the same work by hand.

Each case starts servers of its own and ends with one line of JSON. Ratios are of one run; rates
move with whatever else the machine does.
"""

import os
import platform
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import uvloop
from rich.console import Console

from benchmarks import (
    batches,
    exchange,
    executor,
    growth,
    pages,
    purchases,
    reads,
    rules,
    serving,
    tiers,
)
from benchmarks.result import Result, show


@dataclass(frozen=True, slots=True)
class Length:
    """How many times the short run it is to be, and whether at the sizes that are promised."""

    times: int
    full: bool


CASES: Mapping[str, Callable[[Length], Coroutine[Any, Any, Result]]] = {
    "a": lambda length: batches.against_by_hand(9 * length.times),
    "b": lambda length: purchases.singles(3 * length.times, 2.5),
    "c": lambda length: reads.balances(3 * length.times, 2.0),
    "d": lambda length: pages.members(3 * length.times, 2.5),
    "e": lambda length: growth.sizes(full=length.full),
    "f": lambda length: serving.memory(full=length.full),
    "g": lambda length: executor.alone(5 * length.times),
    "h": lambda length: executor.compiling(5 * length.times),
    "exchange": lambda length: exchange.against_updates(7 * length.times),
    "tiers": lambda length: tiers.reviewed(full=length.times > 1),
    "rules": lambda length: rules.compared(9 * length.times, 3 * length.times, 2.5),
    "cost": lambda length: growth.cost(full=length.full),
    "ends": lambda length: growth.ends(full=length.full),
    "beside": lambda length: growth.ends_beside(full=length.full),
    "young": lambda length: batches.young(),
    "long": lambda length: batches.long_baskets(7 * length.times),
    "many": lambda length: purchases.many(2 * length.times, 2.5),
}
PARTS = ("cost", "ends", "beside")  # of e, each by itself
TIMES_LONG = 5


def main(
    only: Annotated[list[str] | None, typer.Option(help="Run this case alone.")] = None,
    long: Annotated[bool, typer.Option(help="Five times as many rounds, full sizes.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write the lines there, too.")] = None,
) -> None:
    console = Console()
    if unknown := set(only or ()) - set(CASES):
        raise typer.BadParameter(f"no case {', '.join(unknown)}: there are {', '.join(CASES)}")
    length = Length(times=TIMES_LONG if long else 1, full=long or bool(only))
    lines = []
    for name in only or [name for name in CASES if name not in PARTS]:
        result = uvloop.run(CASES[name](length))  # as in every process that serves
        show(result, console)
        lines.append(orjson.loads(result.line()))
    if json is not None:
        json.write_bytes(orjson.dumps({"machine": _machine(), "cases": lines}, option=2))


def _machine() -> dict[str, object]:
    return {"cores": os.cpu_count(), "python": platform.python_version(), "os": platform.system()}


if __name__ == "__main__":
    typer.run(main)
