"""The API over HTTP, in a process of its own: single purchases, batches, balances."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from os import environ
from typing import Any

import httpx
import orjson
import psutil

from benchmarks import batches, goods, meter, result
from benchmarks.client import Load
from benchmarks.meter import Sample
from benchmarks.result import Row
from benchmarks.stand import Brand, Stand
from loyalty_app.ports import free_port

CLIENTS = 64
READERS = 200
READY_SECONDS = 30.0
STOP_SECONDS = 20.0
SINGLE = (
    "mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) {"
    " purchase { id earned { amount } versions { unit version } } replayed"
    " userErrors { code field message } } }"
)
BATCH = (
    "mutation ($items: BatchItems!) { recordPurchases(items: $items) { outcomes { replayed"
    " purchase { earned { amount } } userErrors { code field message } } } }"
)
BALANCE = (
    "query ($id: String!) { member(by: {externalId: $id}) {"
    ' balance(unit: "points") { available pending version } } }'
)


class Server:
    """A serving process and the rounds of load that it is given."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.port = port
        self._process = psutil.Process(process.pid)
        self._next = goods.MEMBERS

    async def take(self, load: Load) -> Sample:
        """One round: the units that were answered, and the CPU of all that were."""
        report: dict[str, Any] = {}

        async def work() -> int:
            given = orjson.dumps(asdict(replace(load, port=self.port, first=self._next)))
            command = [sys.executable, "-m", "benchmarks.client"]
            done = subprocess.run(command, input=given, capture_output=True, check=False)  # noqa: ASYNC221
            if done.returncode:
                raise RuntimeError(done.stderr.decode())
            report.update(orjson.loads(done.stdout))
            self._next = report["next"]
            return int(report["all_requests"]) * load.times

        sample = await meter.timed(work, self._process)
        share = report["requests"] * load.times / sample.units
        return Sample(
            units=report["requests"] * load.times,
            seconds=report["seconds"],
            python=sample.python * share,
            postgres=sample.postgres * share,
        )


@contextmanager
def serving(
    command: list[str], env: dict[str, str], path: str, told: Any = None
) -> Iterator[Server]:
    """A server process while the block runs; `{port}` in its command and environment is filled."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", *(part.format(port=port) for part in command)],
        env={**environ, **env, "LOYALTY_PORT": str(port)},
        stdin=subprocess.PIPE,
    )
    try:
        assert process.stdin is not None
        if told is not None:
            process.stdin.write(orjson.dumps(told, default=str) + b"\n")
            process.stdin.flush()
        _wait(process, f"http://127.0.0.1:{port}{path}")
        yield Server(process, port)
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    give_up = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < give_up:
        try:
            httpx.get(url, timeout=1.0, trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError("a server that is to be measured does not start")


@contextmanager
def api(stand: Stand) -> Iterator[Server]:
    with serving(["loyalty_app", "serve"], stand.settings.environment(), "/healthz") as server:
        yield server


@contextmanager
def bare(stand: Stand, brand: Brand) -> Iterator[Server]:
    told = {
        "dsn": stand.admin,
        "tenant_id": brand.tenant_id,
        "program_id": brand.program_id,
        "members": brand.members,
    }
    with serving(["benchmarks.bare", "{port}"], {}, "/", told) as server:
        yield server


def graphql(brand: Brand, query: str, variables: str, **load: Any) -> Load:
    """A request of which `variables` is JSON text."""
    body = f'{{"query":{orjson.dumps(query).decode()},"variables":{variables}}}'
    return Load(port=0, path="/graphql", body=body, authorization=brand.api_key, **load)


def basket(lines: int = goods.LINES) -> str:
    return orjson.dumps(goods.item(goods.NUMBER, goods.MEMBER, datetime.now(UTC), lines)).decode()


def turn(server: Server, load: Load) -> Callable[[], Any]:
    return lambda: server.take(load)


async def singles(stand: Stand, rounds: int, seconds: float) -> list[Row]:
    """One purchase a request, one transaction each in the bare endpoint."""
    brand, other = await stand.brand(), await stand.brand()
    await batches.warm(stand, brand)
    await batches.warm(stand, other)
    common: dict[str, Any] = {"item": basket(), "connections": CLIENTS, "seconds": seconds}
    mine = graphql(
        brand, SINGLE, f'{{"input":{goods.ITEMS}}}', must_have='"replayed":false', **common
    )
    theirs = Load(port=0, path="/purchase", body=goods.ITEMS, must_have="[]", **common)
    with api(stand) as ours, bare(stand, other) as hand:
        one, two = await meter.by_turns([turn(ours, mine), turn(hand, theirs)], rounds)
    case = f"recordPurchase over HTTP, {CLIENTS} in flight"
    return [result.row(case, "purchases", one, against="bare endpoint", than=two),
            result.row("bare endpoint, one transaction each", "purchases", two)]  # fmt: skip


async def many(stand: Stand, rounds: int, seconds: float) -> list[Row]:
    """Batches of purchases, two requests in flight."""
    brand = await stand.brand()
    await batches.warm(stand, brand)
    rows = []
    with api(stand) as server:
        for items, lines in ((200, goods.LINES), (500, goods.LINES), (200, 10)):
            load = graphql(
                brand, BATCH, f'{{"items":[{goods.ITEMS}]}}', item=basket(lines), times=items,
                must_have='"replayed":false', connections=2, seconds=seconds,
            )  # fmt: skip
            (sample,) = await meter.by_turns([turn(server, load)], rounds)
            case = f"recordPurchases over HTTP, {items} x {lines} lines"
            rows.append(result.row(case, "purchases", sample))
    return rows


async def balances(stand: Stand, rounds: int, seconds: float) -> list[Row]:
    """Balances of members who look again and again, against one read of the same rows."""
    brand = await stand.brand()
    await batches.warm(stand, brand)
    member = f'"{goods.MEMBER}"'
    common: dict[str, Any] = {"item": member, "connections": CLIENTS, "seconds": seconds,
                              "must_have": '"available"', "members": READERS}  # fmt: skip
    mine = graphql(brand, BALANCE, f'{{"id":{goods.ITEMS}}}', **common)
    theirs = Load(port=0, path="/balance", body=f'{{"member":{goods.ITEMS}}}', **common)
    with api(stand) as ours, bare(stand, brand) as hand:
        one, two = await meter.by_turns([turn(ours, mine), turn(hand, theirs)], rounds)
    case = f"member {{ balance }} over HTTP, {CLIENTS} in flight"
    return [result.row(case, "reads", one, against="bare read", than=two)]
