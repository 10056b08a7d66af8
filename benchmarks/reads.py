"""Balances over HTTP: of members who look again and again, and of members who look once."""

from typing import Any

from redis.asyncio import Redis

from benchmarks import batches, goods, meter, result
from benchmarks.client import Load
from benchmarks.meter import Sample, Way
from benchmarks.result import Bar, Result
from benchmarks.server import Server, api, bare, graphql, turn
from benchmarks.stand import stand

CLIENTS = 32
READERS = 200  # who look again and again: the cache knows them
MEMBERS = 10_000  # more than are read in a round: the cache knows nobody twice
BALANCES = (
    "query ($id: String!) { member(by: {externalId: $id}) {"
    " balances { unit available pending version } } }"
)


async def balances(rounds: int, seconds: float) -> Result:
    async with stand() as on:
        brand = await on.brand(MEMBERS)
        await batches.warm(on, brand)
        await on.analyze()
        common: dict[str, Any] = {"item": f'"{goods.MEMBER}"', "connections": CLIENTS,
                                  "seconds": seconds, "must_have": '"available"'}  # fmt: skip
        given = f'{{"id":{goods.ITEMS}}}'
        warm = graphql(brand, BALANCES, given, members=READERS, **common)
        cold = graphql(brand, BALANCES, given, members=MEMBERS, **common)
        body = f'{{"member":{goods.ITEMS}}}'
        by_sql = Load(port=0, path="/balances", body=body, members=READERS, **common)
        redis = Redis.from_url(on.settings.need("redis_url"))
        with api(on) as ours, bare(on, brand) as hand:
            ways: list[Way] = [turn(ours, warm), _Cold(ours, cold, redis), turn(hand, by_sql)]
            one, two, three = await meter.by_turns(ways, rounds)
        await redis.aclose()
    return _balances(one, two, three, {"connections": CLIENTS, "rounds": rounds,
                                       "readers": READERS, "members": MEMBERS})  # fmt: skip


class _Cold:
    """Rounds that begin with an empty cache and ask for nobody twice."""

    def __init__(self, server: Server, load: Load, redis: Redis) -> None:
        self._server, self._load, self._redis = server, load, redis

    async def __call__(self) -> Sample:
        await self._redis.flushall()
        sample = await self._server.take(self._load)
        if sample.units > MEMBERS:
            raise RuntimeError("some were read twice: more members are needed")
        return sample


def _balances(warm: Sample, cold: Sample, hand: Sample, figures: dict[str, Any]) -> Result:
    share, case = result.ratio(warm, hand), "member { balances } over HTTP"
    than: dict[str, Any] = {"against": "bare reads", "than": hand}
    return Result(
        case="c",
        ratio=share,
        rows=[
            result.row(f"{case}, cache warm", "reads", warm, **than),
            result.row(f"{case}, cache cold", "reads", cold, **than),
            result.row("bare endpoint, from Postgres", "reads", hand),
        ],
        bars=[Bar(figure="warm, of bare reads from Postgres", value=share, limit=0.5)],
        figures={**figures, "cold_ratio": result.ratio(cold, hand)},
    )
