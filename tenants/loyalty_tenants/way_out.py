"""The way out that plugins are given: as webhooks go, to checked addresses only."""

import asyncio
import ssl
from collections.abc import Mapping

import httpx

from loyalty.outside import ANSWER_MAX, Answered, Unreached
from loyalty_tenants.egress import Blocked, Reach
from loyalty_tenants.egress_client import EgressClient

AGENT = "Loyalty-Peer/1"


class WayOut:
    def __init__(self, reach: Reach, *, tls: ssl.SSLContext | None = None) -> None:
        self._reach = reach
        self._client = EgressClient(reach, tls=tls)

    async def close(self) -> None:
        await self._client.close()

    def check(self, url: str) -> None:
        """:raises ValueError: no address that we would go to"""
        try:
            self._reach.url(url)
        except Blocked as blocked:
            raise ValueError(str(blocked)) from None

    async def post(
        self, url: str, *, headers: Mapping[str, str], content: bytes, seconds: float
    ) -> Answered:
        """:raises Unreached: nobody answered in time, or we do not go there"""
        try:
            async with asyncio.timeout(seconds):
                return await self._post(url, headers, content)
        except TimeoutError:
            raise Unreached(f"no answer within {seconds:g} s") from None
        except Blocked as blocked:
            raise Unreached(str(blocked)) from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError, ValueError) as error:
            raise Unreached(f"{type(error).__name__}: {error}".rstrip(": ")) from None

    async def _post(self, url: str, headers: Mapping[str, str], content: bytes) -> Answered:
        all_headers = {**headers, "user-agent": AGENT}
        async with self._client.send("POST", url, headers=all_headers, content=content) as answer:
            heard = bytearray()
            async for chunk in answer.aiter_raw():
                heard += chunk
                if len(heard) > ANSWER_MAX:
                    raise Unreached("the answer is too long")
            return Answered(status=answer.status_code, body=bytes(heard))
