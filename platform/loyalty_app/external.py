"""Servers that were there before us: may we use them, and are they recent enough."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import asyncpg
import redis.asyncio
import redis.exceptions

from loyalty.cache.nodes import is_cluster, named_nodes, url_of
from loyalty.pooler import BehindPooler
from loyalty_app.problem import Problem

POSTGRES_MIN = 18
REDIS_MIN = 7
CONNECT_SECONDS = 5.0
PAUSE_SECONDS = 0.5


class NoAnswer(Problem):
    """A server is not there, or not yet."""


@contextmanager
def straight(setting: str) -> Iterator[None]:
    """What is done within needs an address that leads past every pooler.

    :raises Problem: it does not
    """
    try:
        yield
    except BehindPooler as error:
        raise Problem(
            f"{setting}: {error}",
            f"Give {setting} the address of PostgreSQL itself; the serving processes may go "
            "through the pooler",
        ) from None


async def postgres_version(url: str, *, setting: str) -> str:
    """The version of the server at `url`, for example "18.6".

    :raises NoAnswer: it does not answer
    :raises Problem: it does not let us in, or is older than PostgreSQL 18
    """
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS, statement_cache_size=0)
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise Problem(
            f"PostgreSQL refuses the login of {setting}: {error}",
            f"Correct the user and the password in {setting}",
        ) from None
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        raise NoAnswer(
            f"PostgreSQL does not answer at {setting} ({error or 'no answer in time'})",
            f"Start it, or correct {setting}; without it an embedded server is started",
        ) from None
    try:
        number = int(await connection.fetchval("show server_version_num"))
    finally:
        await connection.close()
    return named_postgres(number, setting=setting)


async def postgres_awaited(url: str, *, setting: str, seconds: float) -> str:
    """The same, of a server that may still be starting: it is asked again for so many seconds.

    :raises Problem: as above, once they are over
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await postgres_version(url, setting=setting)
        except NoAnswer:
            if time.monotonic() >= deadline:
                raise
        await asyncio.sleep(PAUSE_SECONDS)


def named_postgres(number: int, *, setting: str) -> str:
    """What a `server_version_num` says: 180006 is "18.6".

    :raises Problem: it is too old
    """
    if number < POSTGRES_MIN * 10_000:
        raise Problem(
            f"{setting} leads to PostgreSQL {number // 10_000}",
            f"Use PostgreSQL {POSTGRES_MIN} or later",
        )
    return f"{number // 10_000}.{number % 10_000}"


async def redis_version(url: str, *, setting: str) -> str:
    """Name and version of the server at `url`, for example "valkey 9.1.2"; of a cluster's last.

    :raises Problem: it does not answer, does not let us in, or is older than Redis 7
    """
    try:
        nodes = [url_of(url, node) for node in named_nodes(url)] if is_cluster(url) else [url]
        for node in nodes:
            client = redis.asyncio.Redis.from_url(node, socket_connect_timeout=CONNECT_SECONDS)
            async with client:
                found = await client.info("server")
    except (OSError, TimeoutError, ValueError, redis.exceptions.RedisError) as error:
        raise Problem(
            f"Redis does not answer at {setting} ({error})",
            f"Start it, or correct {setting}; without it an embedded server is started",
        ) from None
    return named_redis(found, setting=setting)


def named_redis(found: Mapping[str, object], *, setting: str) -> str:
    """What the section "server" of INFO says. Valkey poses as an old Redis and names itself apart.

    :raises Problem: it is too old
    """
    if "valkey_version" in found:
        return f"valkey {found['valkey_version']}"
    version = str(found.get("redis_version", "0"))
    if int(version.partition(".")[0]) < REDIS_MIN:
        raise Problem(
            f"{setting} leads to Redis {version}", f"Use Redis {REDIS_MIN} or later, or Valkey"
        )
    return f"redis {version}"
