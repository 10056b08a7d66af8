"""An embedded PostgreSQL: made on the first start, mended after a crash, stopped with us."""

import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from loyalty_app.embedded import process
from loyalty_app.embedded.programs import postgres_programs
from loyalty_app.embedded.unprivileged import own
from loyalty_app.ports import free_port, require_free
from loyalty_app.problem import Problem

HOST = "127.0.0.1"
VERSION = "18"
START_SECONDS = 600.0  # replaying the log after a crash takes as long as it takes
PAUSE_SECONDS = 0.02
TRIES = 5  # a free port may be taken by another program before the server is up
KEEP_SAFE: Mapping[str, str] = {"max_connections": "200", "jit": "off"}
FORGETFUL: Mapping[str, str] = {
    **KEEP_SAFE,
    "max_connections": "1000",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
}  # for tests: fast, and gone with the machine's power


class Postgres:
    """A cluster in `<home>/postgres` whose superuser is `postgres`."""

    def __init__(
        self, home: Path, *, password: str, port: int = 0, options: Mapping[str, str] = KEEP_SAFE
    ) -> None:
        self.folder = home / "postgres"
        self._log = home / "postgres.log"
        self._home = home
        self._password = password
        self._port = port
        self._options = options
        self._server: process.Server | None = None

    def start(self) -> str:
        """Start the server and wait until it answers; returns its address (the superuser's).

        :raises Problem: the port is taken, the data is of another version, it does not start
        """
        programs = postgres_programs(self._home)
        process.end_leftovers(self.folder, by=signal.SIGINT)
        if not self.folder.exists():
            self._create(programs)
        self._check_version()
        for _ in range(TRIES):
            port = self._port or free_port()
            if self._port:
                require_free(HOST, port, setting="LOYALTY_EMBEDDED_POSTGRES_PORT")
            if self._started(programs, port):
                return f"postgresql://postgres:{self._password}@{HOST}:{port}/postgres"
        raise Problem(
            f"The embedded PostgreSQL does not start; its log ends with:\n{self._end_of_log()}",
            "If the data is of no use any more, `make reset` begins anew",
        )

    def stop(self) -> None:
        if self._server is not None:
            process.stop(self._server, by=signal.SIGINT)
            self._server = None

    @property
    def pid(self) -> int:
        """The process that started the others: of the running server, or of the one that died."""
        assert self._server is not None, "it was not started"
        return self._server.pid

    def _create(self, programs: Path) -> None:
        # Made beside its place and moved there whole: a crash half way leaves nothing to mend.
        new, secret = self._home / "postgres.new", self._home / "postgres.password"
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(secret, ignore_errors=True)
        own(new)
        own(secret)
        (secret / "password").write_text(self._password)
        (secret / "password").chmod(0o644)  # in a folder that only the server's user can enter
        made = process.start(
            [
                *(programs / "initdb", "-D", new, "-U", "postgres"),
                *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
                *("--builtin-locale=C.UTF-8", "--auth=scram-sha-256"),
                *(f"--pwfile={secret / 'password'}", "--no-instructions"),
                *(["--no-sync"] if self._options.get("fsync") == "off" else []),
            ],
            folder=new,
            log=self._log,
        ).wait(START_SECONDS)
        shutil.rmtree(secret)
        if made != 0:
            raise Problem(
                f"The embedded PostgreSQL could not be set up; its log ends with:\n"
                f"{self._end_of_log()}",
                "See to what the log names (often: no space left), then start again",
            )
        new.rename(self.folder)

    def _check_version(self) -> None:
        try:
            found = (self.folder / "PG_VERSION").read_text().strip()
        except PermissionError:
            raise Problem(
                f"The data in {self.folder} belongs to another user",
                "Start the platform as the user who started it first, or forget the data with "
                "`make reset` as that user",
            ) from None
        if found != VERSION:
            raise Problem(
                f"The data in {self.folder} is of PostgreSQL {found}, this is {VERSION}",
                "Export it with the older release, or forget it with `make reset`",
            )

    def _started(self, programs: Path, port: int) -> bool:
        """Whether the server came up on this port."""
        status = self.folder / "postmaster.pid"
        # Nobody works in the folder (see `start`), so what the file says is of the past; its
        # process id may by now be a stranger's, and the server would refuse to start for it.
        status.unlink(missing_ok=True)
        options = {
            **self._options,
            "listen_addresses": HOST,
            "port": str(port),
            "unix_socket_directories": "",
        }
        settings = [part for name in options for part in ("-c", f"{name}={options[name]}")]
        self._server = process.start(
            [programs / "postgres", "-D", self.folder, *settings], folder=self.folder, log=self._log
        )
        deadline = time.monotonic() + START_SECONDS
        while self._server.poll() is None and time.monotonic() < deadline:
            if _says_ready(status):
                return True
            time.sleep(PAUSE_SECONDS)
        self.stop()
        return False

    def _end_of_log(self) -> str:
        return "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-8:])


def _says_ready(status: Path) -> bool:
    try:
        lines = status.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


@contextmanager
def postgres(server: Postgres) -> Iterator[str]:
    """The server's address while the block runs."""
    try:
        yield server.start()
    finally:
        server.stop()
