"""PgBouncer in transaction mode on loopback, as an unprivileged user, before the test server."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from loyalty_app.embedded import process
from loyalty_app.embedded.unprivileged import own
from loyalty_app.logins import Addresses
from loyalty_app.ports import free_port

PROGRAM = os.environ.get("LOYALTY_TEST_PGBOUNCER") or shutil.which(
    "pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
)
MISSING = "pgbouncer is not installed (Debian: apt-get install pgbouncer)"
HOST = "127.0.0.1"
START_SECONDS = 30.0
CONFIG = """\
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = {here}
listen_port = {listen}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
"""
# Few sessions for many clients: so that transactions of different clients do share them.
OPTIONS: Mapping[str, str] = {"max_client_conn": "500", "default_pool_size": "4"}
KEEPS_SINCE = (1, 21)
KEEPING = {"max_prepared_statements": "200"}


def keeps_statements() -> bool:
    """Whether the installed one can keep prepared statements for its clients."""
    assert PROGRAM is not None, MISSING
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"PgBouncer (\d+)\.(\d+)", said.stdout)
    assert found is not None, said.stdout
    return (int(found[1]), int(found[2])) >= KEEPS_SINCE


class PgBouncer:
    """Runs from `start` until `stop`; ends with whoever started it where the system can say so."""

    def __init__(self, folder: Path, logins: Addresses, **options: str) -> None:
        self.folder = folder
        self._log = folder.with_suffix(".log")
        self._logins = logins
        self._options = {**OPTIONS, **(KEEPING if keeps_statements() else {}), **options}
        self._port = 0
        self._server: process.Server | None = None

    def start(self) -> None:
        assert PROGRAM is not None, MISSING
        shutil.rmtree(self.folder, ignore_errors=True)
        own(self.folder)
        self._port = free_port()
        self._write("users", "".join(_users(self._logins)))
        self._write("pgbouncer.ini", self._config())
        tied = shutil.which("setpriv")
        command = [*([tied, "--pdeathsig", "TERM"] if tied else []), PROGRAM]
        self._server = process.start(
            [*command, self.folder / "pgbouncer.ini"], folder=self.folder, log=self._log
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"pgbouncer does not start:\n{self._log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        if self._server is not None:
            process.stop(self._server, by=signal.SIGINT)
            self._server = None

    def through(self, logins: Addresses) -> Addresses:
        """The serving logins' addresses through it; the administrator's stays straight."""
        return Addresses(logins.admin, *map(self.url, (logins.app, logins.worker, logins.audit)))

    def url(self, address: str) -> str:
        parts = urlsplit(address)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{login}@{HOST}:{self._port}"))

    def _config(self) -> str:
        server = urlsplit(self._logins.admin)
        config = CONFIG.format(
            host=server.hostname, port=server.port or 5432, here=HOST, listen=self._port,
            folder=self.folder,
        )  # fmt: skip
        return config + "".join(f"{name} = {value}\n" for name, value in self._options.items())

    def _write(self, name: str, text: str) -> None:
        # Readable, in a folder that only the server's user may enter.
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o644)

    def _answers(self) -> bool:
        try:
            socket.create_connection((HOST, self._port), timeout=1.0).close()
        except OSError:
            return False
        return True


def _users(logins: Addresses) -> list[str]:
    lines = []
    for address in (logins.admin, logins.app, logins.worker, logins.audit):
        parts = urlsplit(address)
        lines.append(f'"{parts.username}" "{unquote(parts.password or "")}"\n')
    return lines
