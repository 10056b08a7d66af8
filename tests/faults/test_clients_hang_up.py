"""Clients that hang up at any moment: no connection is lost, and nothing is done by halves."""

import asyncio
import random
from typing import Any

from websockets.exceptions import WebSocketException

from tests.faults import report
from tests.faults.api import Api
from tests.faults.brand import Brand
from tests.faults.conftest import Loading, SizeOf
from tests.faults.load import Load
from tests.faults.stand import Stand
from tests.faults.verdict import judge, pool_is_whole
from tests.faults.watcher import greet, opened, watch

AT_ONCE = 30
_OPEN = "select count(*) from pg_stat_activity where usename = $1 and state like 'idle in%'"


async def test_clients_hang_up(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    calls = size("calls that hang up")
    chance = random.Random(11)
    apis = await platform.apis()
    gone = 0
    async with put_load(brand, apis, rate=10) as load:
        for _ in range(calls // AT_ONCE):
            went = [_hang_up(load, chance.choice(apis), chance) for _ in range(AT_ONCE)]
            gone += sum(await asyncio.gather(*went))
        await _none_open(platform)
        for api in apis:
            await pool_is_whole(load, api)
        verdict = await judge(platform.settings, load)
    assert gone > calls // 10
    report.note(
        report.Row(
            place=40,
            what="clients hang up at any moment",
            tried=f"{calls} calls and subscriptions whose socket closes after 0 to 300 ms",
            held="no database connection is lost, no transaction stays open, nothing is half done",
            measured=f"{gone} hung up before their answer; {verdict}",
        )
    )


async def _hang_up(load: Load, api: Api, chance: random.Random) -> bool:
    """Whether the client was gone before it was answered."""
    patience = chance.random() * 0.3
    call: Any = (
        _watch(load, api) if chance.random() < 0.2 else load.caller.send(load.call(), api.url)
    )
    try:
        async with asyncio.timeout(patience):
            await call
    except TimeoutError:
        return True
    return False


async def _watch(load: Load, api: Api) -> None:
    brand = load.caller.brand
    try:
        socket = await opened(api, close_timeout=0.1)
        try:
            await greet(socket, brand)
            await watch(socket, brand.members[0])
            while True:
                await socket.recv()
        finally:
            socket.transport.abort()
    except WebSocketException:
        return


async def _none_open(platform: Stand) -> None:
    """No transaction is left open: those that were are given a moment."""
    async with platform.admin() as connection, asyncio.timeout(15):
        while await connection.fetchval(_OPEN, "loyalty_app"):
            await asyncio.sleep(0.1)
