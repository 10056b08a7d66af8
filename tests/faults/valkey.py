"""A Valkey of its own on a port that stays, and what may happen to it."""

import asyncio
import signal
from contextlib import suppress
from pathlib import Path

import psutil
from redis.asyncio import Redis

from loyalty_app.embedded.valkey import Valkey
from loyalty_app.ports import free_port


class ValkeyServer:
    def __init__(self, home: Path, *, password: str) -> None:
        self.port = free_port()
        self._server = Valkey(home, password=password, port=self.port)
        self.url = ""
        self._runs = False

    async def start(self) -> str:
        """Start it, empty; returns its address."""
        self.url = await asyncio.to_thread(self._server.start)
        self._runs = True
        return self.url

    def stop(self) -> None:
        self.resume()
        self._runs = False
        self._server.stop()

    def kill(self) -> None:
        self._send(signal.SIGKILL)
        self._runs = False
        self._server.stop()

    def pause(self) -> None:
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        self._send(signal.SIGCONT)

    def client(self, *, decode_responses: bool = False) -> Redis:
        """A client for tests that look into it or write rubbish: a context manager."""
        return Redis.from_url(self.url, legacy_responses=False, decode_responses=decode_responses)

    def _send(self, what: signal.Signals) -> None:
        if self._runs:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(self._server.pid).send_signal(what)
