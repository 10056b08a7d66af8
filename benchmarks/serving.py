"""A serving process over time: when it is ready, and what it keeps of what it was asked."""

import subprocess
import sys
import time
from statistics import median
from typing import Any

from benchmarks import batches, goods
from benchmarks.client import Load
from benchmarks.pages import PAGE
from benchmarks.purchases import SINGLE, basket
from benchmarks.reads import BALANCES
from benchmarks.result import Bar, Result
from benchmarks.server import Server, api, graphql
from benchmarks.stand import Brand, Stand, stand

REQUESTS = 20_000
REQUESTS_FULL = 200_000
WARM = 0.1  # of the requests, before memory is looked at for the first time
STARTS = 5
CLIENTS = 32
SECONDS = 3.0  # of each load in a round
SECONDS_FULL = 15.0
SECONDS_MAX = 1_200.0  # of all rounds
MIB = 2**20


async def memory(*, full: bool) -> Result:
    """Purchases, balances and now and then a page of members, until so many were answered."""
    async with stand() as on:
        brand = await on.brand()
        await batches.warm(on, brand)
        starts = [_start(on) for _ in range(STARTS)]
        with api(on) as server:
            sizes = await _sizes(server, _loads(brand, full), REQUESTS_FULL if full else REQUESTS)
    return _result(sizes, round(median(starts), 2), round(_imported(), 2))


def _loads(brand: Brand, full: bool) -> list[Load]:
    seconds = SECONDS_FULL if full else SECONDS
    common: dict[str, Any] = {"connections": CLIENTS, "seconds": seconds}
    item = f'"{goods.MEMBER}"'
    return [
        graphql(brand, SINGLE, f'{{"input":{goods.ITEMS}}}', item=basket(),
                must_have='"replayed":false', **common),
        graphql(brand, BALANCES, f'{{"id":{goods.ITEMS}}}', item=item, must_have='"available"',
                **common),
        graphql(brand, PAGE % (10, 5), item="", must_have='"members"', connections=4,
                seconds=seconds / 15),
    ]  # fmt: skip


async def _sizes(server: Server, loads: list[Load], requests: int) -> list[tuple[int, float]]:
    """After each round: the requests answered so far, and the process's resident MiB.

    :raises RuntimeError: it takes too long
    """
    done, sizes = 0, [(0, server.process.memory_info().rss / MIB)]
    give_up = time.monotonic() + SECONDS_MAX
    while done < requests:
        if time.monotonic() > give_up:
            raise RuntimeError(f"only {done:,} requests were answered in {SECONDS_MAX:g} s")
        for load in loads:
            report = server.end(server.begin(load))
            done += report["all_requests"]
        sizes.append((done, server.process.memory_info().rss / MIB))
        sys.stderr.write(f"f: {done:,} of {requests:,} requests, {sizes[-1][1]:.1f} MiB\n")
    return sizes


def _start(on: Stand) -> float:
    with api(on) as server:
        return server.ready_after


def _imported() -> float:
    """Seconds to import the application, interpreter included."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import loyalty_app.asgi"], check=True)
    return time.perf_counter() - begun


def _result(sizes: list[tuple[int, float]], start: float, imported: float) -> Result:
    requests, last = sizes[-1]
    warm = next((at, size) for at, size in sizes if at >= WARM * requests)
    flat, most = round(last / warm[1], 3), round(max(size for _, size in sizes), 1)
    shown = {str(at): round(size, 1) for at, size in sizes}
    return Result(
        case="f",
        ratio=flat,
        bars=[
            Bar(figure=f"memory after {requests:,} requests to that after {warm[0]:,}", value=flat,
                limit=1.1, most=True),
            Bar(figure="MiB resident, at most", value=most, limit=200.0, most=True),
            Bar(figure="seconds from start to ready", value=start, limit=2.0, most=True),
        ],
        figures={"requests": requests, "resident_mib": shown, "import_seconds": imported},
    )  # fmt: skip
