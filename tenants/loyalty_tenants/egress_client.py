"""One plain HTTP request to a checked address: no redirects, no proxy, nothing unpacked."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ssl import SSLContext

import httpx

from loyalty_tenants.egress import Reach, checked_address, host_of

CONNECTIONS_MAX = 100


class EgressClient:
    """`tls` names the authorities to trust; by default those that certifi lists."""

    def __init__(
        self, reach: Reach, *, tls: SSLContext | None = None, connect: float = 5.0
    ) -> None:
        self._reach = reach
        self._tls = tls
        self._connect = connect
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    @asynccontextmanager
    async def send(
        self, method: str, text: str, *, headers: Mapping[str, str], content: bytes | None = None
    ) -> AsyncIterator[httpx.Response]:
        """The response with its body still to be read (`aiter_raw`, bounded by the caller).

        The time it may all take is the caller's to limit.

        :raises Blocked: we do not go there
        :raises httpx.HTTPError: or OSError: nobody answered in HTTP
        """
        url = self._reach.url(text)
        host = host_of(url)
        port = url.port or (443 if url.scheme == "https" else 80)
        address = await checked_address(host, port, anywhere=self._reach.trusts(host))
        request = self._http().build_request(
            method,
            url.copy_with(host=address),
            headers={
                **headers,
                "host": url.netloc.decode("ascii"),
                "accept-encoding": "identity",  # a small body must not unpack into a large one
            },
            content=content,
            extensions={"sni_hostname": host, "timeout": self._timeout()},
        )
        response = await self._http().send(request, stream=True, follow_redirects=False)
        try:
            yield response
        finally:
            await response.aclose()

    def _timeout(self) -> dict[str, float | None]:
        return httpx.Timeout(None, connect=self._connect).as_dict()

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=True if self._tls is None else self._tls,
                trust_env=False,  # no proxy of the environment stands between
                # A connection kept alive is known by its address alone: another host of the same
                # address must not be spoken to over it.
                limits=httpx.Limits(max_keepalive_connections=0, max_connections=CONNECTIONS_MAX),
            )
        return self._client
