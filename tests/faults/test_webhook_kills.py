"""Workers that die between claim and sending, and between sending and noting it: nothing is lost,
nothing invented, and what comes twice is the same to the byte."""

import asyncio
import json
import random
import subprocess
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from loyalty_app.ledger import Ledger, open_ledger
from loyalty_app.logins import Addresses
from loyalty_app.settings import Settings
from tests.faults import report
from tests.faults.conftest import SizeOf
from tests.faults.hooked import Hooked, hooked, process
from tests.faults.receiver import Heard, Receiver

POST = str(Path(__file__).parent / "mortal_post.py")
WORKERS = 2
IN_FLIGHT = 8  # of one endpoint: what one death may repeat
BATCH = 50
AHEAD = 200


@pytest.fixture
async def dsn(new_dsn: Callable[[], Awaitable[Addresses]]) -> Addresses:
    return await new_dsn()


@pytest.fixture
async def ledger(dsn: Addresses) -> AsyncIterator[Ledger]:
    async with open_ledger(Settings(redis_url=""), dsn.app) as opened:
        yield opened


async def test_nothing_is_lost_or_invented_by_workers_that_are_killed(
    ledger: Ledger, dsn: Addresses, tmp_path: Path, size: SizeOf
) -> None:
    events, kills = size("webhook events"), size("kills of webhook workers")
    receiver = await Receiver().start()
    tenant = await hooked(ledger, members=40)
    made = await tenant.endpoint(f"{receiver.url}/all")
    settings = {
        "LOYALTY_WORKER_DATABASE_URL": dsn.worker,
        "LOYALTY_REDIS_URL": "",
        "LOYALTY_DATA_DIR": str(tmp_path / "data"),
        "LOYALTY_WEBHOOK_TRUSTED_HOSTS": "127.0.0.1",
        "LOYALTY_WEBHOOK_PACE": "0.001",
    }
    died = Deaths(settings, tmp_path, kills)
    try:
        async with asyncio.timeout(90 + 6 * kills):
            await asyncio.gather(_buy(tenant, events, receiver, died), died.all())
            died.immortal()
            while len({one.id for one in receiver.heard}) < events:
                await asyncio.sleep(0.1)
            await asyncio.sleep(1.5)  # what was sent and not noted comes once more
    finally:
        await died.stop()
        await receiver.stop()

    _nothing_lost_or_invented(tenant, receiver.heard, made.text)
    repeated = len(receiver.heard) - events
    assert died.count >= kills
    assert repeated <= died.count * IN_FLIGHT
    for heard in receiver.heard[-20:]:  # a signature holds for five minutes
        heard.verified(made.text)
    report.note(
        report.Row(
            place=86,
            what="workers that send webhooks are killed",
            tried=(
                f"`kill -9` {died.count} times between claim and sending, between sending and "
                f"noting it, or anywhere, beside {events:,} purchases"
            ),
            held="each is told at least once, in its member's order, with the same id and body",
            measured=f"{events:,} told, {repeated} of them twice",
        )
    )


def _nothing_lost_or_invented(tenant: Hooked, heard: list[Heard], secret: str) -> None:
    """Each purchase once by its id, the same every time, and each member's in their order."""
    bodies: dict[str, bytes] = {}
    told: dict[str, list[str]] = defaultdict(list)
    for one in heard:
        if one.id not in bodies:
            said: Any = json.loads(one.body)["data"]
            told[said["member"]["externalId"]].append(said["externalId"])
        assert bodies.setdefault(one.id, one.body) == one.body
    assert told == tenant.bought


async def _buy(tenant: Hooked, events: int, receiver: Receiver, died: "Deaths") -> None:
    """Not far ahead of what was told, so that there is something to send until the last kill."""
    while tenant.number < events:
        await tenant.buy(min(BATCH, events - tenant.number))
        await asyncio.sleep(0.2)
        while died.wanted and tenant.number - len(receiver.heard) > AHEAD:
            await asyncio.sleep(0.05)


class Deaths:
    """Two post offices, each replaced when it dies, until enough have died."""

    def __init__(self, settings: dict[str, str], folder: Path, enough: int) -> None:
        self._settings = settings
        self._folder = folder
        self._enough = enough
        self._running: list[subprocess.Popen[bytes]] = []
        self.count = 0

    @property
    def wanted(self) -> bool:
        return self.count < self._enough

    async def all(self) -> None:
        await asyncio.gather(*(self._lives(number) for number in range(WORKERS)))

    async def _lives(self, number: int) -> None:
        """One after the other: one half dies before sending, the other after it; and whoever does
        not come to it is killed from outside, in the middle of whatever it does."""
        while self.wanted:
            where = "after_send" if (self.count + number) % 2 else "after_claim"
            worker = self._start(where, random.randint(1, 40))
            try:
                await asyncio.wait_for(asyncio.to_thread(worker.wait), random.uniform(4, 8))
            except TimeoutError:
                worker.kill()
                worker.wait()
            assert worker.returncode == -9, self._said()
            self._running.remove(worker)
            self.count += 1

    def immortal(self) -> None:
        for _ in range(WORKERS):
            self._start("never", 0)

    async def stop(self) -> None:
        for worker in self._running:
            worker.terminate()
        for worker in self._running:
            try:
                await asyncio.to_thread(worker.wait, 20)
            except subprocess.TimeoutExpired:
                worker.kill()

    def _start(self, where: str, letters: int) -> subprocess.Popen[bytes]:
        worker = process([POST, where, str(letters)], self._settings, self._folder)
        self._running.append(worker)
        return worker

    def _said(self) -> str:
        return "\n".join(path.read_text("utf-8") for path in self._folder.glob("*.log"))[-3000:]
