"""A platform of processes: PostgreSQL, Valkey, APIs and workers, each of which may be harmed."""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from loyalty_app.embedded.unprivileged import home
from loyalty_app.prepare import prepare
from loyalty_app.secrets_kept import secrets_in
from loyalty_app.settings import Settings
from tests.faults.api import Api
from tests.faults.brand import PROGRAM, Brand, make_brand
from tests.faults.child import Child
from tests.faults.postgres import PostgresServer
from tests.faults.valkey import ValkeyServer
from tests.faults.worker import Worker

MEMBERS = 10
T = TypeVar("T", bound=Child)


class Stand:
    """The servers run as long as the stand does; APIs and workers are started by who needs them."""

    def __init__(
        self, folder: Path, postgres: PostgresServer, valkey: ValkeyServer, settings: Settings
    ) -> None:
        self.folder = folder
        self.postgres = postgres
        self.valkey = valkey
        self.settings = settings
        self._count = 0
        self._shared: list[Api] = []
        self._made: list[Child] = []

    def api(self, **settings: str) -> Api:
        """An API process, not started yet; `settings` by the names of the environment."""
        environment = self._environment(settings)
        return self._keep(Api(self._name("api"), settings=environment, folder=self.folder))

    def worker(self, **settings: str) -> Worker:
        environment = self._environment(settings)
        return self._keep(Worker(self._name("worker"), settings=environment, folder=self.folder))

    async def apis(self, count: int = 2) -> list[Api]:
        """API processes that tests share, all running: one that is gone is started anew."""
        while len(self._shared) < count:
            self._shared.append(self.api())
        for api in self._shared[:count]:
            if not api.runs:
                api.start()
        await asyncio.gather(*(api.serves() for api in self._shared[:count]))
        return self._shared[:count]

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of the superuser, past row security."""
        connection = await asyncpg.connect(self.settings.need("database_url"))
        try:
            yield connection
        finally:
            await connection.close()

    async def brand(
        self, members: int = MEMBERS, program: object = PROGRAM, at: datetime | None = None
    ) -> Brand:
        return await make_brand(self.settings, members, program, at)

    async def tidy(self) -> None:
        """End what a test started and left, the shared processes excepted."""
        for child in self._made:
            if child not in self._shared:
                await child.stop()

    async def stop(self) -> None:
        for child in self._made:
            await child.stop()

    def _keep(self, child: T) -> T:
        self._made.append(child)
        return child

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        return {**self.settings.environment(), **more}

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}-{self._count}"


def through(url: str, port: int) -> str:
    """The same address by way of a proxy that listens on this port."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))


@asynccontextmanager
async def stand(options: dict[str, str] | None = None) -> AsyncIterator[Stand]:
    """A platform of its own in a temporary folder; whatever is left of it is ended with it."""
    with _folder() as folder:
        given = secrets_in(folder)
        place = home(folder)
        postgres = PostgresServer(place, password=given["postgres"], options=options)
        valkey = ValkeyServer(place, password=given["valkey"])
        try:
            found = Settings(
                database_url=await postgres.start(), redis_url=await valkey.start(),
                app_database_url=None, worker_database_url=None, audit_database_url=None,
                operator_secret=secrets.token_urlsafe(32), data_dir=folder,
            )  # fmt: skip
            settings, _ = await prepare(found)
            made = Stand(folder, postgres, valkey, settings)
            try:
                yield made
            finally:
                await made.stop()
        finally:
            valkey.stop()
            postgres.stop()


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="loyalty-faults-"))
    folder.chmod(0o711)  # root's servers run as another user and must pass through
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
