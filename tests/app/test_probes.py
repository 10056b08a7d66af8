"""What a process answers whoever supervises it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from loyalty.database import Database
from loyalty_app.logins import Addresses
from loyalty_app.ports import free_port
from loyalty_app.probes import probes
from loyalty_app.readiness import Readiness
from loyalty_app.settings import Settings
from tests.faults.api import Api
from tests.faults.child import Child

PATHS = ("/livez", "/readyz", "/startupz")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        yield client


async def test_an_api_process_answers_each_name(api: Api, http: httpx.AsyncClient) -> None:
    for path in (*PATHS, "/healthz"):
        answer = await http.get(f"{api.url}{path}")
        assert (path, answer.status_code) == (path, 200)


async def test_a_worker_answers_too_until_it_is_told_to_stop(
    settings: Settings, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    port = free_port()
    given = {**settings.environment(), "LOYALTY_PROBE_PORT": str(port)}
    worker = Child("worker", settings=given, log=tmp_path / "worker.log")
    worker.start()
    url = f"http://127.0.0.1:{port}"
    while True:
        assert worker.runs, worker.said()
        try:
            found = {path: (await http.get(f"{url}{path}")).status_code for path in PATHS}
            break
        except httpx.ConnectError:
            await asyncio.sleep(0.05)
    worker.terminate()
    assert found == dict.fromkeys(PATHS, 200)
    assert (await worker.ended())[0] == 0
    with pytest.raises(httpx.ConnectError):
        await http.get(f"{url}/livez")


async def test_a_worker_that_is_not_ready_is_alive(dsn: Addresses, http: httpx.AsyncClient) -> None:
    database, leaving, port = await Database.open(dsn.app, size=1), asyncio.Event(), free_port()
    async with probes("127.0.0.1", port, Readiness(database, leaving)):
        url = f"http://127.0.0.1:{port}"
        ready = await http.get(f"{url}/readyz")
        await database.close()
        leaving.set()
        unready = await http.get(f"{url}/readyz")
        alive = await http.get(f"{url}/livez")
        others = [
            (await http.get(f"{url}/metrics")).status_code,
            (await http.post(f"{url}/livez")).status_code,
        ]
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    assert (unready.status_code, unready.json()) == (
        503,
        {"status": "this process is about to end"},
    )
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert others == [404, 405]


@pytest.mark.parametrize("sent", [b"\r\n\r\n", b"GET /" + b"a" * 20_000, b"GET", b"\x00" * 9_000])
async def test_what_is_no_request_ends_no_worker(
    dsn: Addresses, http: httpx.AsyncClient, sent: bytes
) -> None:
    database, port = await Database.open(dsn.app, size=1), free_port()
    async with probes("127.0.0.1", port, Readiness(database, asyncio.Event())):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        writer.close()
        assert (await http.get(f"http://127.0.0.1:{port}/livez")).status_code == 200
    await database.close()


async def test_where_no_port_is_given_nobody_listens(dsn: Addresses) -> None:
    database = await Database.open(dsn.app, size=1)
    async with probes("127.0.0.1", 0, Readiness(database, asyncio.Event())):
        pass
    await database.close()
