"""Two on one port: the second is told what to do."""

import asyncio
import os
import sys

from loyalty_app.ports import END, FIRST, free_port
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


def test_a_free_port_is_none_that_linux_gives_to_whoever_connects() -> None:
    """Between the look and the server that listens there others connect to this and that."""
    assert all(FIRST <= free_port() < END for _ in range(10))
