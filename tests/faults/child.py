"""A process of the platform: started, told to stop, killed, paused, resumed, by its id alone."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

GRACE_SECONDS = 60.0


class Child:
    """`loyalty <command>` in a group of its own; what it says goes to a file."""

    def __init__(self, name: str, *command: str, settings: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._command = command or (name,)
        self._settings = dict(settings)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert not self.runs, f"{self.name} runs already"
        inherited = {n: v for n, v in os.environ.items() if not n.startswith("LOYALTY_")}
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, *self.program(), *self._command],
                env={**inherited, **self._settings},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def program(self) -> tuple[str, ...]:
        return ("-m", "loyalty_app")

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def memory(self) -> int:
        """Resident bytes."""
        return int(psutil.Process(self.pid).memory_info().rss)

    def terminate(self) -> None:
        """SIGTERM, as an orchestrator sends it; `ended` waits."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        if self.runs:
            self._send(signal.SIGKILL)
            assert self._process is not None
            self._process.wait(GRACE_SECONDS)

    def pause(self) -> None:
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        self._send(signal.SIGCONT)

    async def ended(self, patience: float = GRACE_SECONDS) -> tuple[int, float]:
        """Wait for its end; its exit code and how many seconds that took."""
        assert self._process is not None
        begun = time.monotonic()
        code = await asyncio.to_thread(self._process.wait, patience)
        return code, time.monotonic() - begun

    async def stop(self) -> None:
        """For the end of a test: politely, and whatever state it is in."""
        if self.runs:
            self.resume()
            self.terminate()
            try:
                await self.ended()
            finally:
                self.kill()

    def said(self) -> str:
        """Everything it wrote so far."""
        return self.log.read_text("utf-8", "replace")

    def _send(self, what: signal.Signals) -> None:
        assert self._process is not None, f"{self.name} was not started"
        self._process.send_signal(what)
