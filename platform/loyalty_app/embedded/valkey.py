"""An embedded Valkey. It holds copies and messages only, so nothing of it is kept on disk."""

import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loyalty_app.embedded import process
from loyalty_app.embedded.programs import valkey_program
from loyalty_app.embedded.unprivileged import own
from loyalty_app.ports import free_port, require_free
from loyalty_app.problem import Problem

HOST = "127.0.0.1"
START_SECONDS = 30.0
PAUSE_SECONDS = 0.02
TRIES = 5
CONFIG = """\
bind {host}
port {port}
requirepass {password}
save ""
appendonly no
maxmemory 256mb
maxmemory-policy allkeys-lru
"""


class Valkey:
    """A server that works in `<home>/valkey`."""

    def __init__(self, home: Path, *, password: str, port: int = 0) -> None:
        self.folder = home / "valkey"
        self._log = home / "valkey.log"
        self._home = home
        self._password = password
        self._port = port
        self._server: process.Server | None = None

    def start(self) -> str:
        """Start the server and wait until it answers; returns its address.

        :raises Problem: the port is taken, or it does not start
        """
        program = valkey_program(self._home)
        process.end_leftovers(self.folder, by=signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)
        own(self.folder)
        for _ in range(TRIES):
            port = self._port or free_port()
            if self._port:
                require_free(HOST, port, setting="LOYALTY_EMBEDDED_VALKEY_PORT")
            if self._started(program, port):
                return f"redis://:{self._password}@{HOST}:{port}/0"
        raise Problem(
            f"The embedded Valkey does not start; see {self._log}",
            "See to what the log names, or set LOYALTY_REDIS_URL to a server of your own",
        )

    def stop(self) -> None:
        if self._server is not None:
            process.stop(self._server, by=signal.SIGTERM)
            self._server = None

    @property
    def pid(self) -> int:
        """The server's process: of the running one, or of the one that died."""
        assert self._server is not None, "it was not started"
        return self._server.pid

    def _started(self, program: Path, port: int) -> bool:
        config = CONFIG.format(host=HOST, port=port, password=self._password)
        # By its standard input: the command line would show the password to every user.
        self._server = process.start(
            [program, "-"], folder=self.folder, log=self._log, given=config.encode()
        )
        deadline = time.monotonic() + START_SECONDS
        while self._server.poll() is None and time.monotonic() < deadline:
            if _answers(port, self._password):
                return True
            time.sleep(PAUSE_SECONDS)
        self.stop()
        return False


def _answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1.0) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            said = b""
            while said.count(b"\r\n") < 2 and (more := connection.recv(100)):
                said += more
    except OSError:
        return False
    return said == b"+OK\r\n+PONG\r\n"


@contextmanager
def valkey(server: Valkey) -> Iterator[str]:
    """The server's address while the block runs."""
    try:
        yield server.start()
    finally:
        server.stop()
