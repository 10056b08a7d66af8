"""A rule that never returns is ended with its process; what is only slow is not."""

import asyncio
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from loyalty.ids import new_id
from loyalty_app.logins import Addresses
from loyalty_app.ports import free_port
from loyalty_app.watchdog import EXIT_CODE
from loyalty_points.plugin import plugin as points
from loyalty_tenants.keys import issue_key
from loyalty_tenants.principal import Actor, Role

from .loyalty_stuck import plugin as stuck

HERE = Path(__file__).parent
BOSS = Actor(role="ADMIN", subject="boss", request_id="r-1")
SECONDS = 1
RECORD = """mutation($input: RecordPurchaseInput!) {
  recordPurchase(input: $input) { replayed userErrors { code message } } }"""
RUN = "import site, sys; site.addsitedir(sys.argv.pop(1))\nfrom loyalty_app.cli import main\nmain()"

Process = asyncio.subprocess.Process


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder in which the plugin is installed."""
    folder = tmp_path / "site"
    metadata = folder / "loyalty_stuck-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.4\nName: loyalty-stuck\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[loyalty.plugins]\nstuck = loyalty_stuck:plugin\n")
    (folder / "loyalty_stuck.pth").write_text(f"{HERE}\n")
    return folder


@pytest.fixture
def start(site: Path, dsn: Addresses, tmp_path: Path) -> Callable[..., Any]:
    """Runs a command as a process with the plugin installed; it is ended with the block."""

    @asynccontextmanager
    async def run(command: str, **settings: object) -> AsyncIterator[Process]:
        given = {
            "APP_DATABASE_URL": dsn.app,
            "WORKER_DATABASE_URL": dsn.worker,
            "REDIS_URL": "",
            "OPERATOR_SECRET": secrets.token_urlsafe(32),
            "DATA_DIR": str(tmp_path / "data"),
            "WATCHDOG_SECONDS": SECONDS,
            **settings,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RUN, str(site), command,
            env={f"LOYALTY_{name}": str(value) for name, value in given.items()},
            stderr=subprocess.PIPE, cwd=tmp_path,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    return run


@pytest.fixture
async def brand(make_world: Any) -> Any:
    """A tenant that runs the plugin, long enough ago for a process with a clock of its own."""
    world = await make_world(plugins=(points, stuck))
    await world.run_program("stuck", {}, kind="stuck")
    return world


class Till:
    """Sends purchases to a server that may be starting."""

    def __init__(self, world: Any, port: int, key: str) -> None:
        self._world = world
        self._url = f"http://127.0.0.1:{port}"
        self._headers = {"authorization": f"Bearer {key}"}

    async def up(self) -> None:
        async with httpx.AsyncClient() as http, asyncio.timeout(60):
            while True:
                try:
                    assert (await http.get(f"{self._url}/healthz")).status_code == 200
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
                else:
                    return

    async def buy(self, member: str, number: str, **attributes: str) -> Any:
        given = {
            "member": {"externalId": member}, "source": "till", "externalId": number,
            "occurredAt": datetime.now(UTC).isoformat(), "currency": "USD", "total": "5.00",
            "attributes": attributes,
        }  # fmt: skip
        async with httpx.AsyncClient(timeout=30, headers=self._headers) as http:
            body = {"query": RECORD, "variables": {"input": given}}
            return (await http.post(f"{self._url}/graphql", json=body)).json()


@pytest.fixture
async def till(brand: Any) -> tuple[Till, int]:
    port = free_port()
    async with brand.database.tenant(brand.tenant_id) as connection:
        key = await issue_key(
            connection, BOSS, role=Role.SERVICE, client="till", now=brand.clock.now()
        )
    return Till(brand, port, key.text), port


async def ended(process: Process) -> tuple[int | None, str]:
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, errors.decode()


@pytest.mark.parametrize(
    ("never", "code"),
    [("loops", EXIT_CODE), ("waits", EXIT_CODE), ("matches", -signal.SIGPROF)],
)
async def test_an_api_process_stuck_in_a_rule_ends_and_its_successor_records(
    brand: Any, till: tuple[Till, int], start: Any, never: str, code: int
) -> None:
    buyer, port = till
    name = f"m-{new_id().hex}"
    await brand.member(name)

    async with start("serve", PORT=port) as first:
        await buyer.up()
        with pytest.raises(httpx.TransportError):
            await buyer.buy(name, "o-1", never=never)
        exit_code, said = await ended(first)
    written = await brand.rows("select key from loyalty.fact where kind = 'PurchaseRecorded'")
    async with start("serve", PORT=port):
        await buyer.up()
        answers = [await buyer.buy(name, number) for number in ("o-0", "o-1")]

    assert (exit_code, written) == (code, [])
    assert "get_stuck" in said  # the stack
    if code == EXIT_CODE:
        assert "the plugin stuck, rule get_stuck on PurchaseRecorded (program stuck)" in said
    fine = {"data": {"recordPurchase": {"replayed": False, "userErrors": []}}}
    assert answers == [fine, fine]


async def test_a_worker_stuck_in_a_rule_ends(brand: Any, start: Any) -> None:
    brand.clock.at = datetime(2025, 1, 1, tzinfo=UTC)
    member = await brand.member()
    brand.clock.at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    await brand.give(member, 5, days=0.001)

    async with start("worker") as process:
        code, said = await ended(process)

    assert code == EXIT_CODE
    assert "the plugin stuck, rule get_stuck_later on LotsDue (program stuck)" in said
    assert await brand.rows("select 1 from loyalty.fact where kind = 'LotsDue'") == []


async def test_what_was_stopped_or_waits_for_the_database_is_left_alone(
    brand: Any, till: tuple[Till, int], start: Any
) -> None:
    buyer, port = till
    name = f"m-{new_id().hex}"
    await brand.member(name)

    async with start("serve", PORT=port) as process:
        await buyer.up()
        async with brand.database.tenant(brand.tenant_id) as connection:
            await connection.execute("select from loyalty.member for no key update")
            waiting = asyncio.ensure_future(buyer.buy(name, "o-1"))
            await asyncio.sleep(2 * SECONDS)
        answer = await waiting
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(4 * SECONDS)
        process.send_signal(signal.SIGCONT)
        await asyncio.sleep(SECONDS)
        again = await buyer.buy(name, "o-2")
        running = process.returncode is None

    fine = {"data": {"recordPurchase": {"replayed": False, "userErrors": []}}}
    assert (answer, again, running) == (fine, fine, True)


async def test_without_a_watchdog_a_process_stays_stuck(
    brand: Any, till: tuple[Till, int], start: Any
) -> None:
    buyer, port = till
    name = f"m-{new_id().hex}"
    await brand.member(name)

    async with start("serve", PORT=port, WATCHDOG_SECONDS=0) as process:
        await buyer.up()
        stuck_call = asyncio.ensure_future(buyer.buy(name, "o-1", never="waits"))
        await asyncio.sleep(3 * SECONDS)
        running = process.returncode is None
        process.kill()
        await asyncio.gather(stuck_call, return_exceptions=True)

    assert running
