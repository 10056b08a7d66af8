"""Without Redis readers of one balance share what Postgres said a moment ago."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import uuid4

import pytest

from loyalty.cache.balances import BalanceCache, CachedBalance, Want
from loyalty.cache.connection import Breaker, Link
from loyalty.cache.recent import KEPT_MAX, Recent

TENANT = uuid4()
WANT: Want = (uuid4(), "points")


class Seconds:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
async def link(own_server: Any, seconds: Seconds) -> AsyncIterator[Link]:
    server = own_server()
    made = Link(server.connection_url, breaker=Breaker(seconds), budget=10.0)
    server.terminate()
    yield made
    await made.close()


async def test_a_balance_is_asked_for_once_in_100_ms(link: Link, seconds: Seconds) -> None:
    cache = BalanceCache(link, epoch=1, seconds=seconds)
    version = 1
    loads: list[Want] = []

    async def load(wants: Sequence[Want]) -> dict[Want, CachedBalance]:
        loads.extend(wants)
        return {want: CachedBalance(version=version) for want in wants}

    async def read(least: int = 0) -> int:
        answer = await cache.read(TENANT, [WANT], load, min_version={WANT: least})
        return answer[WANT].version

    for _ in range(39):  # 5 ms apart
        assert await read() == 1
        seconds.at += 0.005
    assert len(loads) == 2

    version = 2
    assert await read(least=2) == 2  # who knows of a newer one gets it
    assert len(loads) == 3
    assert await read() == 2

    version = 3
    await cache.put_many(TENANT, {WANT: CachedBalance(version=3, overflow=True)})
    assert await read() == 3  # what was written here is seen here
    assert len(loads) == 4
    await cache.read(uuid4(), [WANT], load)  # another tenant's is its own
    assert len(loads) == 5


def test_no_more_is_kept_than_there_is_room_for(seconds: Seconds) -> None:
    recent = Recent(seconds)
    many: dict[Want, CachedBalance] = {
        (uuid4(), "points"): CachedBalance(version=1) for _ in range(KEPT_MAX)
    }
    recent.keep(TENANT, many)
    recent.keep(TENANT, {WANT: CachedBalance(version=1)})
    assert recent.of(TENANT, [WANT]) == {}
    assert len(recent.of(TENANT, many)) == KEPT_MAX

    seconds.at += 0.2  # those are over
    recent.keep(TENANT, {WANT: CachedBalance(version=1)})
    assert list(recent.of(TENANT, [WANT, *many])) == [WANT]
