"""Watching the embedded servers: one that died is told, not waited for."""

import asyncio
from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import urlsplit

from loyalty_app.problem import Problem

PAUSE_SECONDS = 2.0
FAILURES_MAX = 3


async def watch(servers: Mapping[str, str]) -> NoReturn:
    """Knock at every server (name -> URL) until one does not answer several times in a row.

    :raises Problem: it is gone
    """
    failures = dict.fromkeys(servers, 0)
    while True:
        await asyncio.sleep(PAUSE_SECONDS)
        for name, url in servers.items():
            failures[name] = 0 if await _answers(url) else failures[name] + 1
            if failures[name] >= FAILURES_MAX:
                raise Problem(
                    f"The embedded {name} is gone",
                    "Start again: what was acknowledged is kept",
                )


async def _answers(url: str) -> bool:
    address = urlsplit(url)
    try:
        async with asyncio.timeout(PAUSE_SECONDS):
            _, writer = await asyncio.open_connection(address.hostname, address.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
