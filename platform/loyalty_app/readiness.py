"""Whether a process should be sent requests: its database answers, and it is not about to end."""

import asyncio
import time
from collections.abc import Callable

from loyalty.database import Database

KEPT_SECONDS = 1.0
ASKED_SECONDS = 2.0


class Readiness:
    """Asks the database once a second at most, however often it is asked itself."""

    def __init__(
        self,
        database: Database,
        leaving: asyncio.Event,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._leaving = leaving
        self._monotonic = monotonic
        self._reason = ""
        self._until = float("-inf")
        self._asking = asyncio.Lock()

    async def reason_against(self) -> str:
        """Why not; empty where the process is ready."""
        if self._leaving.is_set():
            return "this process is about to end"
        async with self._asking:
            if self._monotonic() >= self._until:
                self._reason = await self._ask()
                self._until = self._monotonic() + KEPT_SECONDS
            return self._reason

    async def _ask(self) -> str:
        try:
            async with asyncio.timeout(ASKED_SECONDS):
                await self._database.unscoped("select epoch from loyalty.installation")
        except Exception:
            return "the database does not answer"
        return ""
