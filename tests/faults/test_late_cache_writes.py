"""One process writes to the cache late, after others wrote newer: no reader goes back in time."""

import asyncio
import random
from typing import Any

import httpx

from tests.faults import report
from tests.faults.api import Api
from tests.faults.brand import Brand
from tests.faults.conftest import Loading, SizeOf
from tests.faults.proxy import proxy
from tests.faults.stand import Stand, through
from tests.faults.verdict import judge

DELAY_SECONDS = 0.5
READERS = 8
_READ = """a{n}: member(by: {{externalId: $m{n}}}) {{
  balance(unit: "points", minVersion: $v{n}) {{ available version }} }}"""


class Session:
    """A client that never accepts an older balance than it has seen, at whichever process."""

    def __init__(self, brand: Brand, http: httpx.AsyncClient) -> None:
        self._brand = brand
        self._http = http
        self._seen = dict.fromkeys(brand.members, 0)
        self.reads = self.regressions = 0

    async def read(self, api: Api) -> None:
        """Every member's balance in one request."""
        data = await self._asked(api)
        for number, member in enumerate(self._brand.members):
            version = int(data[f"a{number}"]["balance"]["version"])
            self.reads += 1
            self.regressions += version < self._seen[member]
            self._seen[member] = max(version, self._seen[member])

    async def _asked(self, api: Api) -> dict[str, Any]:
        """Who reads faster than one caller may is told when to come again, and does."""
        while True:
            answer = await self._http.post(
                f"{api.url}/graphql",
                json={"query": self._document(), "variables": self._variables()},
                headers={"authorization": f"Bearer {self._brand.api_key}"},
            )
            if answer.status_code != 429:
                data: dict[str, Any] = answer.json()["data"]
                return data
            await asyncio.sleep(float(answer.headers["retry-after"]))

    def _document(self) -> str:
        names = range(len(self._seen))
        declared = ", ".join(f"$m{n}: String!, $v{n}: String!" for n in names)
        return f"query({declared}) {{ {' '.join(_READ.format(n=n) for n in names)} }}"

    def _variables(self) -> dict[str, str]:
        members = {f"m{n}": member for n, member in enumerate(self._seen)}
        return members | {f"v{n}": str(version) for n, version in enumerate(self._seen.values())}


async def test_cache_writes_come_late(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    wanted = size("reads beside late cache writes")
    async with proxy(platform.valkey.port) as between:
        between.weather.jitter = DELAY_SECONDS
        late = platform.api(LOYALTY_REDIS_URL=through(platform.valkey.url, between.port))
        late.start()
        [prompt] = await platform.apis(1)
        await late.serves()
        # Writes go to the late one: what it says of them reaches the cache up to half a second on.
        async with put_load(brand, [late], rate=20, mix={"purchase": 2, "redemption": 1}) as load:
            sessions = await _read_all(brand, (prompt, late), wanted)
            load.apis = [prompt, late]
            verdict = await judge(platform.settings, load)
        await late.stop()
    reads = sum(session.reads for session in sessions)
    assert sum(session.regressions for session in sessions) == 0
    report.note(
        report.Row(
            place=74,
            what="a process writes to the cache late",
            tried=f"its way to Valkey takes up to {1000 * DELAY_SECONDS:g} ms, another is prompt",
            held="no session that names the version it saw (`minVersion`) goes back in time",
            measured=f"{reads:,} reads, 0 regressions; {verdict}",
        )
    )


async def _read_all(brand: Brand, apis: tuple[Api, Api], wanted: int) -> list[Session]:
    chance = random.Random(8)
    async with httpx.AsyncClient(trust_env=False, timeout=30.0) as http:
        sessions = [Session(brand, http) for _ in range(READERS)]

        async def loop(session: Session) -> None:
            while session.reads < wanted / READERS:
                await session.read(chance.choice(apis))

        await asyncio.gather(*(loop(session) for session in sessions))
    return sessions
