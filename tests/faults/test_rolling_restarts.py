"""Processes are replaced one after the other under load: nobody is refused, sockets move over."""

import asyncio
import signal
from collections import Counter

import httpx

from tests.faults import report
from tests.faults.api import Api
from tests.faults.brand import Brand
from tests.faults.conftest import Loading, SizeOf
from tests.faults.load import Load
from tests.faults.sizes import CLEAN_SECONDS
from tests.faults.stand import Stand
from tests.faults.verdict import judge, served
from tests.faults.watcher import Watcher

EXIT_SECONDS = 25.0
RATE = 100.0


async def test_processes_are_replaced_under_load(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    restarts, sockets = size("rolling restarts"), size("sockets in a restart")
    serving = [platform.api(), platform.api()]
    for api in serving:
        api.start()
    await asyncio.gather(*(api.serves() for api in serving))
    exits = []
    async with put_load(brand, serving, rate=RATE, timeout=30.0) as load:
        watchers = [
            Watcher(brand, brand.members[n % len(brand.members)], lambda: load.apis[-1])
            for n in range(sockets)
        ]
        await _all_connected(watchers)
        await asyncio.sleep(size(CLEAN_SECONDS))
        for _ in range(restarts):
            exits.append(await _replace_oldest(platform, load))
        await _all_connected(watchers)
        await load.stop()
        codes = load.journal.counts()
        verdict = await judge(platform.settings, load)
        closed = sum((watcher.closed for watcher in watchers), Counter())
        heard = [watcher.heard for watcher in watchers]
        await asyncio.gather(*(watcher.end() for watcher in watchers))
    served(load.journal)
    assert set(closed) <= {1001}, closed
    assert min(heard) > 0
    report.within(EXIT_SECONDS, max(exits), "a process that was told to stop")
    report.note(
        report.Row(
            place=90,
            what="API processes are replaced under load (rolling restart)",
            tried=(
                f"{restarts} times: a new one starts, an old one gets SIGTERM; {RATE:g} calls/s "
                f"and {sockets} sockets"
            ),
            held=(
                "no call is lost, at most one in a hundred told to come again; the old process is "
                f"not ready at once and gone within {EXIT_SECONDS:g} s; sockets are closed with "
                "1001 and go on elsewhere"
            ),
            measured=(
                f"{codes.get('OVERLOADED', 0)} of {sum(codes.values()):,} told to come again, gone "
                f"after {max(exits):.1f} s at most, {sum(closed.values())} sockets moved; "
                f"{verdict}"
            ),
        )
    )


async def _replace_oldest(platform: Stand, load: Load) -> float:
    """As an orchestrator does it; seconds until the old process was gone."""
    new, old = platform.api(), load.apis[0]
    new.start()
    await new.serves()
    load.apis = [*load.apis[1:], new]
    await asyncio.sleep(0.3)  # what was sent to the old one just now has arrived there
    old.terminate()
    await _says_not_ready(old)
    code, seconds = await old.ended()
    assert code in (0, -signal.SIGTERM), old.said()[-2000:]
    return seconds


async def _says_not_ready(api: Api) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=10.0) as http:
        for _ in range(100):
            try:
                status = (await http.get(f"{api.url}/readyz")).status_code
            except httpx.TransportError:
                raise AssertionError("it closed its door without saying so") from None
            if status == 503:
                return
            await asyncio.sleep(0.02)
    raise AssertionError("it still calls itself ready")


async def _all_connected(watchers: list[Watcher]) -> None:
    async with asyncio.timeout(60):
        await asyncio.gather(*(watcher.connected.wait() for watcher in watchers))
