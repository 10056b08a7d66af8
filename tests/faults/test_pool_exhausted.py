"""Every database connection is busy: who waits too long is told so, and health still answers."""

import asyncio
import time

import httpx

from tests.faults import report
from tests.faults.brand import Brand
from tests.faults.caller import balance
from tests.faults.conftest import Loading, SizeOf
from tests.faults.load import Load
from tests.faults.proxy import Weather, proxy
from tests.faults.stand import Stand, through
from tests.faults.verdict import judge, pool_is_whole

SLOW_SECONDS = 0.1  # each way: a read with begin and commit takes a second or so
WAIT_SECONDS = 1.0
ANSWER_SECONDS = 5.0
HEALTH_SECONDS = 0.1
PAGE = "{ members(first: 1) { edges { cursor } } }"


async def test_more_clients_than_connections(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    clients = size("clients at once")
    async with proxy(platform.postgres.port) as between:
        url = through(platform.settings.need("app_database_url"), between.port)
        api = platform.api(  # its rates, which would refuse the crowd before, are another test's
            LOYALTY_APP_DATABASE_URL=url, LOYALTY_REDIS_URL="", LOYALTY_TENANT_RATE="0",
            LOYALTY_TENANT_IN_FLIGHT="0",
        )  # fmt: skip
        api.start()
        await api.serves()
        async with put_load(brand, [api], rate=5, timeout=30.0) as load:
            await asyncio.sleep(0.5)
            between.weather.latency = SLOW_SECONDS
            begun = load.now
            crowd = asyncio.create_task(_crowd(load, clients))
            health = await _health(f"{api.url}/healthz")
            await crowd
            slowest, codes = load.journal.slowest(since=begun), load.journal.counts(since=begun)
            between.weather = Weather()
            back = await load.healthy()
            await pool_is_whole(load, api)
            verdict = await judge(platform.settings, load)
        await api.stop()
    # Far away is not silent: nobody is told that the database went away (UNAVAILABLE).
    assert set(codes) <= {"OK", "OVERLOADED", "TIMEOUT"}, codes
    assert codes["OVERLOADED"]
    report.within(ANSWER_SECONDS, slowest, "an answer with the pool exhausted")
    report.within(HEALTH_SECONDS, health, "health with the pool exhausted")
    report.note(
        report.Row(
            place=60,
            what="every database connection is busy",
            tried=f"{clients} clients at once on a process whose queries take a second",
            held=(
                f"who waits longer than {WAIT_SECONDS:g} s for a connection gets 503 `OVERLOADED`, "
                f"everybody an answer within {ANSWER_SECONDS:g} s; `/healthz` answers within "
                f"{1000 * HEALTH_SECONDS:g} ms"
            ),
            measured=(
                f"{codes['OVERLOADED']} told to come back, slowest answer {slowest:.1f} s, health "
                f"{1000 * health:.0f} ms, served again after {back:.1f} s; {verdict}"
            ),
        )
    )


async def _crowd(load: Load, clients: int) -> None:
    """Half of them ask for a balance, and the look-ups of those are shared; half for a page."""
    members, url = load.caller.brand.members, load.apis[0].url
    calls = [load.journal.add(balance(members[n % len(members)])) for n in range(clients // 2)]
    _, nothing = await asyncio.gather(
        asyncio.gather(*(load.caller.send(call, url) for call in calls)),
        _pages(load, url, clients - len(calls)),
    )
    # A member that was found, and only the balance not, is an answer with an error in it: a 200.
    assert nothing
    for answer in nothing:
        assert answer.status_code == 503, answer.text
        assert answer.headers["retry-after"]
        assert answer.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"


async def _pages(load: Load, url: str, count: int) -> list[httpx.Response]:
    """Those of many pages that were not answered with one."""
    headers = {"authorization": f"Bearer {load.caller.brand.api_key}"}
    async with httpx.AsyncClient(
        trust_env=False, timeout=30.0, headers=headers, limits=httpx.Limits(max_connections=None)
    ) as http:
        answers = await asyncio.gather(
            *(http.post(f"{url}/graphql", json={"query": PAGE}) for _ in range(count))
        )
    return [answer for answer in answers if "errors" in answer.json()]


async def _health(url: str) -> float:
    """The median of ten: one of them may meet the machine, not the platform, at a bad moment."""
    took = []
    async with httpx.AsyncClient(trust_env=False, timeout=10.0) as http:
        for _ in range(10):
            begun = time.monotonic()
            assert (await http.get(url)).status_code == 200
            took.append(time.monotonic() - begun)
            await asyncio.sleep(0.1)
    return sorted(took)[len(took) // 2]
