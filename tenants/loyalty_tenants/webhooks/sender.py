"""One try: a signed request to a checked address, and what was answered."""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

import httpx

from loyalty_tenants.egress import Blocked
from loyalty_tenants.egress_client import EgressClient
from loyalty_tenants.webhooks import signature
from loyalty_tenants.webhooks.queue import Answer, Letter

SECONDS_MAX = 15.0
BODY_SECONDS = 2.0
BODY_MAX = 64 * 1024
AGENT = "Loyalty-Webhooks/1"
RETRYING = frozenset({429, 503})


class Sends(Protocol):
    """Tries one delivery; whatever goes wrong is told in the answer."""

    async def send(self, letter: Letter, now: datetime) -> Answer: ...


class Sender:
    """`seconds` is the time for a whole try: name, connection, TLS, request and answer."""

    def __init__(self, client: EgressClient, *, seconds: float = SECONDS_MAX) -> None:
        self._client = client
        self._seconds = seconds

    async def send(self, letter: Letter, now: datetime) -> Answer:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._try(letter, now)
        except TimeoutError:
            return Answer(problem=f"no answer within {self._seconds:g} s")
        except Blocked as blocked:
            return Answer(problem=str(blocked))
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError, ValueError) as error:
            return Answer(problem=f"{type(error).__name__}: {error}".rstrip(": "))

    async def _try(self, letter: Letter, now: datetime) -> Answer:
        headers = {
            **signature.headers(
                str(letter.event_id), int(now.timestamp()), letter.body, letter.keys
            ),
            "content-type": "application/json",
            "user-agent": AGENT,
            "accept": "*/*",
        }
        sending = self._client.send("POST", letter.url, headers=headers, content=letter.body)
        async with sending as response:
            status = response.status_code
            with contextlib.suppress(TimeoutError, httpx.HTTPError, OSError):
                await _hear_out(response)
        if 200 <= status < 300:
            return Answer(status=status)
        return Answer(
            status=status,
            problem=f"answered {status}",
            retry_after=retry_after(response.headers, now) if status in RETRYING else None,
        )


async def _hear_out(response: httpx.Response) -> None:
    """Let a receiver finish a short answer. Nothing of it is kept, and the status has been said."""
    read = 0
    async with asyncio.timeout(BODY_SECONDS):
        async for chunk in response.aiter_raw():
            read += len(chunk)
            if read >= BODY_MAX:
                return


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """What a `Retry-After` asks for, in seconds or as a date; None for anything else."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return timedelta(seconds=int(text))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(at - now, timedelta(0))
