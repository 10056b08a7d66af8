"""Fetches a key set: one plain request, bounded in time and size, to a checked address."""

import asyncio
from ssl import SSLContext
from typing import Any

import httpx
import orjson

from loyalty_tenants.egress import Blocked, Reach
from loyalty_tenants.egress_client import EgressClient

BYTES_MAX = 64 * 1024
SECONDS_MAX = 3.0
KEYS_MAX = 64


class FetchFailed(Exception):
    """No usable key set was answered in time."""


class JwksFetcher:
    """`insecure` allows plain http and private addresses: for tests and laptops. `tls` names the
    authorities to trust; by default those that certifi lists."""

    def __init__(self, *, insecure: bool = False, tls: SSLContext | None = None) -> None:
        self._client = EgressClient(Reach(anywhere=insecure), tls=tls, connect=SECONDS_MAX)

    async def fetch(self, url: str) -> list[dict[str, Any]]:
        """The keys of the set at `url`.

        :raises FetchFailed: for whatever reason
        """
        try:
            async with asyncio.timeout(SECONDS_MAX):
                return _keys(await self._body(url))
        except (httpx.HTTPError, httpx.InvalidURL, Blocked, OSError, ValueError) as error:
            raise FetchFailed(f"{url}: {type(error).__name__}") from error

    async def close(self) -> None:
        await self._client.close()

    async def _body(self, url: str) -> bytes:
        asking = self._client.send("GET", url, headers={"accept": "application/json"})
        async with asking as response:
            if response.status_code != 200 or "content-encoding" in response.headers:
                raise ValueError(f"answered {response.status_code}")
            return await _bounded(response)


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > BYTES_MAX:
            raise ValueError("the key set is too large")
    return bytes(body)


def _keys(body: bytes) -> list[dict[str, Any]]:
    document = orjson.loads(body)
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise ValueError("not a key set")
    return [key for key in keys if isinstance(key, dict)][:KEYS_MAX]
