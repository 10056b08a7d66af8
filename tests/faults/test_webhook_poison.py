"""Endpoints that do everything wrong at once hold up themselves, and nobody else."""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from loyalty_app.ledger import Ledger, open_ledger
from loyalty_app.logins import Addresses
from loyalty_app.settings import Settings
from tests.faults import report
from tests.faults.hooked import Hooked, hooked, process
from tests.faults.receiver import (
    Behaviour,
    Flood,
    Receiver,
    answers,
    closes_after_headers,
    drips,
    gzip_bomb,
    sleeps,
    talks_garbage,
)

SECONDS = 8.0
EVERY = 0.1
POISON = 100
LATE_SECONDS = 2.0


@pytest.fixture
async def dsn(new_dsn: Callable[[], Awaitable[Addresses]]) -> Addresses:
    return await new_dsn()


@pytest.fixture
async def ledger(dsn: Addresses) -> AsyncIterator[Ledger]:
    async with open_ledger(Settings(redis_url=""), dsn.app) as opened:
        yield opened


async def test_a_poisoned_tenant_does_not_delay_the_others(
    ledger: Ledger, dsn: Addresses, tmp_path: Path
) -> None:
    receiver, inside = await Receiver().start(), await Receiver().start()
    flood = Flood(500)
    receiver.script = _script(flood, inside)
    good = [await hooked(ledger, members=20) for _ in range(2)]
    poisoned = await hooked(ledger, members=8)  # as many at once as one endpoint is sent
    for number, tenant in enumerate(good):
        await tenant.endpoint(f"{receiver.url}/good/{number}")
    settings = {
        "LOYALTY_WORKER_DATABASE_URL": dsn.worker,
        "LOYALTY_REDIS_URL": "",
        "LOYALTY_DATA_DIR": str(tmp_path / "data"),
        "LOYALTY_WEBHOOK_TRUSTED_HOSTS": "127.0.0.1",
        "LOYALTY_WEBHOOK_PACE": "0.00003",
    }
    worker = process(["-m", "loyalty_app", "worker"], settings, tmp_path)
    try:
        async with asyncio.timeout(240):
            await _delays(good, receiver)  # the worker comes up, its caches fill
            healthy = await _delays(good, receiver)
            for path in receiver.script:
                await poisoned.endpoint(f"{receiver.url}{path}")
            await poisoned.endpoint(f"https://127.0.0.1:{receiver.port}/tls")
            await poisoned.buy(POISON)
            troubled = await _delays(good, receiver)
            await _dead(dsn, at_least=1)
    finally:
        worker.kill()  # it would wait for who is silent
        await asyncio.to_thread(worker.wait, 60)
        for one in (receiver, inside):
            await one.stop()

    assert {one.path for one in receiver.heard} >= receiver.script.keys()
    assert _p95(troubled) < max(LATE_SECONDS, _p95(healthy) + 1.0)
    assert inside.connections == 0
    assert len(receiver.at("/gone")) <= 16  # a lease's worth: then it was disabled
    assert len(receiver.at("/sleep")) < 40  # at first eight at once, then one at a time
    assert flood.sent / max(1, len(receiver.at("/flood"))) < 30_000_000
    status, reason = await _of_gone(dsn)
    assert (status, reason) == ("DISABLED", "GONE")
    _note(len(receiver.script) + 1, _p95(healthy), _p95(troubled))


def _script(flood: Flood, inside: Receiver) -> dict[str, Behaviour]:
    return {
        "/sleep": sleeps(60), "/drip": drips, "/500": answers(500), "/gone": answers(410),
        "/later": answers(429, "retry-after: 2"), "/flood": flood, "/bomb": gzip_bomb,
        "/metadata": answers(302, "location: http://169.254.169.254/latest/meta-data"),
        "/inside": answers(302, f"location: {inside.url}/inside"), "/garbage": talks_garbage,
        "/closes": closes_after_headers,
    }  # fmt: skip


def _note(endpoints: int, before: float, beside: float) -> None:
    report.note(
        report.Row(
            place=87,
            what="the webhook endpoints of one tenant do everything wrong at once",
            tried=(
                f"{endpoints} of them (silent, dripping, endless, compressed, "
                f"redirecting inside, garbage, gone), each told of {POISON} purchases, while two "
                "tenants go on"
            ),
            held=(
                f"95 of 100 of the others' webhooks arrive within {LATE_SECONDS:g} s; nothing "
                "inside is reached; who answers 410 is asked no more, who is silent one at a time"
            ),
            measured=f"p95 {beside:.2f} s, before {before:.2f} s",
        )
    )


async def _delays(tenants: list[Hooked], receiver: Receiver) -> list[float]:
    """How long it took from the commit of each purchase of a while until it was heard."""
    bought: dict[tuple[str, str], float] = {}
    for _ in range(math.ceil(SECONDS / EVERY / len(tenants))):
        for number, tenant in enumerate(tenants):
            (name,) = await tenant.buy(1)
            bought[f"/good/{number}", name] = time.monotonic()
            await asyncio.sleep(EVERY)
    while not bought.keys() <= (heard := _heard(receiver)).keys():
        await asyncio.sleep(0.1)
    return [heard[key] - at for key, at in bought.items()]


def _heard(receiver: Receiver) -> dict[tuple[str, str], float]:
    first: dict[tuple[str, str], float] = {}
    for one in receiver.heard:
        if one.path.startswith("/good/"):
            first.setdefault((one.path, json.loads(one.body)["data"]["externalId"]), one.at)
    return first


def _p95(delays: list[float]) -> float:
    return sorted(delays)[math.ceil(len(delays) * 0.95) - 1]


async def _dead(dsn: Addresses, at_least: int) -> None:
    connection = await asyncpg.connect(dsn.admin)
    query = "select count(*) from loyalty.webhook_delivery where state = 'DEAD' and attempts = 10"
    try:
        while await connection.fetchval(query) < at_least:
            await asyncio.sleep(0.2)
    finally:
        await connection.close()


async def _of_gone(dsn: Addresses) -> tuple[str, str]:
    connection = await asyncpg.connect(dsn.admin)
    try:
        row = await connection.fetchrow(
            "select status, reason from loyalty.webhook_endpoint where url like '%/gone'"
        )
    finally:
        await connection.close()
    return row["status"], row["reason"]
