"""An API process on a port that stays."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from loyalty_app.ports import free_port
from tests.faults.child import Child

START_SECONDS = 60.0
PAUSE_SECONDS = 0.05


class Api(Child):
    def __init__(self, name: str, *, settings: Mapping[str, str], folder: Path) -> None:
        self.port = free_port()
        super().__init__(
            name, "serve",
            settings={**settings, "LOYALTY_PORT": str(self.port)}, log=folder / f"{name}.log",
        )  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serves(self, patience: float = START_SECONDS) -> float:
        """Wait until it answers; how many seconds that took."""
        begun = time.monotonic()
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as http:
            while time.monotonic() - begun < patience:
                assert self.runs, f"{self.name} ended:\n{self.said()[-2000:]}"
                try:
                    if (await http.get(f"{self.url}/healthz")).status_code == 200:
                        return time.monotonic() - begun
                except httpx.TransportError:
                    pass
                await asyncio.sleep(PAUSE_SECONDS)
        raise AssertionError(f"{self.name} does not answer:\n{self.said()[-2000:]}")
