"""Fetches a key set: one plain request, bounded in time and size, to a checked address."""

import asyncio
from ssl import SSLContext
from typing import Any

import httpx
import orjson

from loyalty_tenants.egress import Blocked, checked_address

BYTES_MAX = 64 * 1024
SECONDS_MAX = 3.0
KEYS_MAX = 64


class FetchFailed(Exception):
    """No usable key set was answered in time."""


class JwksFetcher:
    """`insecure` allows plain http and private addresses: for tests and laptops. `tls` names the
    authorities to trust; by default those that certifi lists."""

    def __init__(self, *, insecure: bool = False, tls: SSLContext | None = None) -> None:
        self._insecure = insecure
        self._tls = tls
        self._client: httpx.AsyncClient | None = None

    async def fetch(self, url: str) -> list[dict[str, Any]]:
        """The keys of the set at `url`.

        :raises FetchFailed: for whatever reason
        """
        try:
            async with asyncio.timeout(SECONDS_MAX):
                return _keys(await self._body(httpx.URL(url)))
        except (httpx.HTTPError, httpx.InvalidURL, Blocked, OSError, ValueError) as error:
            raise FetchFailed(f"{url}: {type(error).__name__}") from error

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _body(self, url: httpx.URL) -> bytes:
        if url.scheme != "https" and not self._insecure:
            raise Blocked("https only")
        port = url.port or (443 if url.scheme == "https" else 80)
        address = await checked_address(url.host, port, anywhere=self._insecure)
        request = self._http().build_request(
            "GET",
            url.copy_with(host=address),
            headers={
                "host": url.netloc.decode("ascii"),
                "accept": "application/json",
                "accept-encoding": "identity",  # a small body must not unpack into a large one
            },
            extensions={"sni_hostname": url.host},
        )
        response = await self._http().send(request, stream=True, follow_redirects=False)
        try:
            if response.status_code != 200 or "content-encoding" in response.headers:
                raise ValueError(f"answered {response.status_code}")
            return await _bounded(response)
        finally:
            await response.aclose()

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=SECONDS_MAX,
                verify=True if self._tls is None else self._tls,
                trust_env=False,  # no proxy of the environment stands between
                limits=httpx.Limits(max_keepalive_connections=0, max_connections=20),
            )
        return self._client


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
