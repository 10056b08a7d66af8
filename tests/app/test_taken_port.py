"""Two on one port: the second is told what to do."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from loyalty_app.ports import FIRST, free_port
from loyalty_app.settings import Settings
from tests.faults.api import Api


async def test_another_one_on_its_port_is_told_what_to_do(api: Api, settings: Settings) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loyalty_app", "serve"),
        env={**os.environ, **settings.environment(), "LOYALTY_PORT": str(api.port)},
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, told = await process.communicate()
    assert process.returncode == 1
    assert f"Port {api.port} on 127.0.0.1 is taken" in told.decode()
    assert f"LOYALTY_PORT={api.port + 1}" in told.decode()


def test_a_free_port_is_none_that_somebody_who_connects_is_given() -> None:
    """Between the look and the server that listens there others connect to this and that."""
    given = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if not given.exists() or int(given.read_text().split()[0]) <= FIRST:
        pytest.skip("no Linux, or one that gives away almost all of them")
    first = int(given.read_text().split()[0])
    assert all(free_port() < first for _ in range(10))
