"""A serving process that is measured: the API, or an endpoint to compare it with."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from os import environ
from typing import Any

import httpx
import orjson
import psutil

from benchmarks import goods
from benchmarks.client import Load
from benchmarks.meter import Sample, Way
from benchmarks.stand import Brand, Stand
from loyalty_app.ports import free_port

READY_SECONDS = 120.0
STOP_SECONDS = 60.0
CLIENT = [sys.executable, "-m", "benchmarks.client"]


class Server:
    """A serving process and the rounds of load that it is given."""

    def __init__(
        self, stand: Stand, process: subprocess.Popen[bytes], port: int, ready_after: float
    ) -> None:
        self.stand = stand
        self.process = psutil.Process(process.pid)
        self.ready_after = ready_after  # seconds from its start to its first answer
        self._port = port
        self._next = goods.MEMBERS

    async def take(self, load: Load) -> Sample:
        """One round: the units that were answered, and the CPU of all that were."""
        report: dict[str, Any] = {}

        async def work() -> int:
            report.update(self.end(self.begin(load)))
            return int(report["all_requests"]) * load.times

        sample = await self.stand.timed(work, self.process)
        share = report["requests"] * load.times / sample.units
        return Sample(
            units=report["requests"] * load.times,
            seconds=report["seconds"],
            python=sample.python * share,
            postgres=sample.postgres * share,
        )

    def begin(self, load: Load) -> subprocess.Popen[bytes]:
        """Start a client; `end` waits for it, and for the end of its time unless it is told."""
        client = subprocess.Popen(CLIENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert client.stdin is not None
        given = replace(load, port=self._port, first=max(load.first, self._next))
        client.stdin.write(orjson.dumps(asdict(given)))
        client.stdin.close()
        return client

    def end(self, client: subprocess.Popen[bytes], *, now: bool = False) -> dict[str, Any]:
        """What the client measured, as `client.Measured`.

        :raises RuntimeError: an answer was wrong
        """
        if now:
            client.terminate()
        assert client.stdout is not None
        with client.stdout as told:
            text = told.read()
        if client.wait():
            raise RuntimeError("a load ended early, see above")
        report: dict[str, Any] = orjson.loads(text)
        self._next = report["next"]
        return report


@contextmanager
def serving(stand: Stand, command: list[str], path: str, told: Any = None) -> Iterator[Server]:
    """A server process while the block runs; it is given a port, and `told` on standard input."""
    port = free_port()
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env={**environ, **stand.settings.environment(), "LOYALTY_PORT": str(port)},
        stdin=subprocess.PIPE,
    )
    try:
        assert process.stdin is not None
        if told is not None:
            process.stdin.write(orjson.dumps(told, default=str) + b"\n")
            process.stdin.flush()
        _wait(process, f"http://127.0.0.1:{port}{path}")
        yield Server(stand, process, port, time.perf_counter() - begun)
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    give_up = time.monotonic() + READY_SECONDS
    # One client for all attempts: each would read the certificates of the world anew, beside a
    # process whose start is measured.
    with httpx.Client(timeout=1.0, trust_env=False) as client:
        while process.poll() is None and time.monotonic() < give_up:
            try:
                client.get(url)
                return
            except httpx.TransportError:
                time.sleep(0.02)
    raise RuntimeError("a server that is to be measured does not start")


@contextmanager
def api(stand: Stand) -> Iterator[Server]:
    """`loyalty serve`, one process."""
    with serving(stand, ["loyalty_app", "serve"], "/healthz") as server:
        yield server


@contextmanager
def plain(stand: Stand, brand: Brand) -> Iterator[Server]:
    """The recorder behind an endpoint that takes JSON."""
    with serving(stand, ["benchmarks.plain"], "/", {"tenant_id": brand.tenant_id}) as server:
        yield server


@contextmanager
def bare(stand: Stand, brand: Brand, rules: int = 1) -> Iterator[Server]:
    """Starlette and SQL, and nothing else; a purchase's rows are those of as many rules."""
    told = {
        "dsn": stand.admin,
        "tenant_id": brand.tenant_id,
        "program_id": brand.program_id,
        "members": brand.members,
        "rules": rules,
    }
    with serving(stand, ["benchmarks.bare"], "/", told) as server:
        yield server


def graphql(brand: Brand, query: str, variables: str = "{}", **load: Any) -> Load:
    """A request of which `variables` is JSON text."""
    body = f'{{"query":{orjson.dumps(query).decode()},"variables":{variables}}}'
    return Load(port=0, path="/graphql", body=body, authorization=brand.api_key, **load)


def turn(server: Server, load: Load) -> Way:
    return lambda: server.take(load)
