"""A PostgreSQL of its own on a port that stays, and what may happen to it."""

import asyncio
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from loyalty_app.embedded.postgres import KEEP_SAFE, Postgres
from loyalty_app.ports import free_port

# As little as the platform asks for, so that a server that dies in a test is back soon.
OPTIONS = {**KEEP_SAFE, "shared_buffers": "64MB", "checkpoint_timeout": "10min"}


class PostgresServer:
    """fsync is on: what is acknowledged must outlive the server."""

    def __init__(self, home: Path, *, password: str, options: dict[str, str] | None = None) -> None:
        self.port = free_port()
        self._runs = False
        self._server = Postgres(
            home, password=password, port=self.port, options={**OPTIONS, **(options or {})}
        )

    @property
    def folder(self) -> Path:
        return self._server.folder

    @property
    def log(self) -> str:
        """What the server has said so far."""
        return (self.folder.parent / "postgres.log").read_text(errors="replace")

    async def start(self) -> str:
        """Start it, or start it again after whatever befell it; returns the superuser's address."""
        address = await asyncio.to_thread(self._server.start)
        self._runs = True
        return address

    def stop(self) -> None:
        self.resume()
        self._runs = False
        self._server.stop()

    def kill(self) -> None:
        """The postmaster is gone at once; its children find that out by themselves."""
        psutil.Process(self._server.pid).kill()
        self._runs = False
        self._server.stop()

    def kill_backend(self, pid: int) -> None:
        """One connection's process is gone: PostgreSQL ends all others and recovers by itself."""
        with suppress(psutil.NoSuchProcess):
            psutil.Process(pid).kill()

    def pause(self) -> None:
        """Every process of it stands still: connections stay open, nothing answers."""
        for process in self._processes():
            process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        for process in self._processes():
            process.send_signal(signal.SIGCONT)

    def _processes(self) -> list[psutil.Process]:
        """The postmaster first: stopped, it starts no more children."""
        if not self._runs:
            return []
        with suppress(psutil.NoSuchProcess):
            postmaster = psutil.Process(self._server.pid)
            return [postmaster, *postmaster.children(recursive=True)]
        return []
