"""The end of lots by `loyalty worker`: alone, and beside a till that goes on."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from os import environ
from typing import Any

import asyncpg
import psutil

from benchmarks import goods, meter, result
from benchmarks.meter import Sample
from benchmarks.purchases import SINGLE, basket
from benchmarks.result import Row
from benchmarks.server import api, graphql
from benchmarks.stand import Brand, Stand

CONNECTIONS = 32
PACE = 100.0  # purchases a second beside the worker
WARM_SECONDS = 10.0  # a process that has just begun is slower than the same a little later
ALONE_SECONDS = 15.0
SECONDS_MAX = 1_200.0
STOP_SECONDS = 60.0
MOVED = """
select n_tup_ins from pg_stat_user_tables where relid = 'loyalty.lot_use'::regclass
"""  # cheap: looking for what is left reads all that is gone, too, and who commits meanwhile waits
LOOK_SECONDS = 2.0  # a connection's counts are told once a second
LEFT = """
select exists (select 1 from loyalty.lot
                where tenant_id = $1 and remaining > 0 and expires_at <= now())
"""
DONE = """
select count(*) as facts, min(recorded_at) as first, max(recorded_at) as last
  from loyalty.fact where tenant_id = $1 and kind = 'LotsDue' and recorded_at >= $2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """Lots that were due, the facts of their end, and what it took from the worker's start to the
    last of them."""

    lots: int
    facts: int
    seconds: float
    python: float
    postgres: float

    def row(self, case: str) -> Row:
        """CPU and rate by lot."""
        sample = Sample(self.lots, self.seconds, self.python, self.postgres)
        note = f"{self.lots:,} lots, {self.facts:,} facts, {self.seconds:,.0f} s"
        return result.row(case, "lots", sample, note=note)

    def figures(self) -> dict[str, float]:
        return {
            "lots": self.lots,
            "facts": self.facts,
            "seconds": round(self.seconds, 1),
            "lots_a_second": round(self.lots / self.seconds),
            "facts_a_second": round(self.facts / self.seconds),
            "worker_cpu_seconds": round(self.python, 1),
            "postgres_cpu_seconds": round(self.postgres, 1),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A sweep beside a load, and the load without and with it, as `client.Measured`."""

    swept: Swept
    alone: dict[str, Any]
    busy: dict[str, Any]

    @property
    def slower(self) -> float:
        return round(float(self.busy["p95"] / self.alone["p95"]), 2)


async def sweep(stand: Stand, brand: Brand, lots: int) -> Swept:
    """Let a worker end what is due.

    :raises RuntimeError: it takes too long
    """
    connection = await asyncpg.connect(stand.admin)
    begun = datetime.now(UTC)
    used = 0.0 if stand.postgres is None else meter.family(stand.postgres)
    try:
        with at_work(stand) as worker:
            give_up = time.monotonic() + SECONDS_MAX
            while await _goes_on(connection, brand):
                if time.monotonic() > give_up or not worker.is_running():
                    raise RuntimeError("the worker does not come to an end")
            python = meter.cpu(worker)
        done = await connection.fetchrow(DONE, brand.tenant_id, begun)
    finally:
        await connection.close()
    used = 0.0 if stand.postgres is None else meter.family(stand.postgres) - used
    seconds = (done["last"] - begun).total_seconds()
    return Swept(
        lots=lots, facts=done["facts"], seconds=seconds, python=python, postgres=used
    )  # fmt: skip


async def _goes_on(connection: Any, brand: Brand) -> bool:
    """Whether lots end, or there are some that should; asked as lightly as can be."""
    before = await connection.fetchval(MOVED)
    await asyncio.sleep(LOOK_SECONDS)
    if await connection.fetchval(MOVED) != before:
        return True
    return bool(await connection.fetchval(LEFT, brand.tenant_id))


async def beside(stand: Stand, brand: Brand, lots: int) -> Beside:
    """The same while members of the same tenant buy, so many a second."""
    load = graphql(
        brand, SINGLE, f'{{"input":{goods.ITEMS}}}', item=basket(), must_have='"replayed":false',
        connections=CONNECTIONS, pace=PACE, seconds=ALONE_SECONDS, first=len(brand.members),
        members=len(brand.members),
    )  # fmt: skip
    with api(stand) as server:
        server.end(server.begin(replace(load, seconds=WARM_SECONDS)))
        alone = server.end(server.begin(load))
        client = server.begin(replace(load, seconds=SECONDS_MAX))
        swept = await sweep(stand, brand, lots)
        busy = server.end(client, now=True)
    return Beside(swept=swept, alone=alone, busy=busy)


@contextmanager
def at_work(stand: Stand) -> Iterator[psutil.Process]:
    """`loyalty worker`, until it is told to stop."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loyalty_app", "worker"],
        env={**environ, **stand.settings.environment()},
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
