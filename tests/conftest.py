"""One PostgreSQL and one Valkey for a whole test run, and a database of its own for each worker.

The process that began the run starts and ends both, and sweeps away what a killed run left. With
LOYALTY_TEST_DATABASE_URL and LOYALTY_TEST_REDIS_URL the run uses those servers instead; with
LOYALTY_TEST_POOLER the serving logins go through PgBouncer in transaction mode. With
LOYALTY_TEST_ORACLE each operation runs on both executors (`compiled/oracle.py`).
"""

import asyncio
import fcntl
import hmac
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from loyalty.database import Database
from loyalty.migrate import bootstrap, migrate
from loyalty_app import private
from loyalty_app.alone import alone
from loyalty_app.embedded.postgres import FORGETFUL, Postgres
from loyalty_app.embedded.unprivileged import home
from loyalty_app.embedded.valkey import Valkey
from loyalty_app.garbage import collect_seldom
from loyalty_app.installed import migration_packages
from loyalty_app.lean import leave_out
from loyalty_app.logins import ROLES, Addresses, address, set_passwords
from loyalty_app.problem import Problem
from loyalty_app.reset import reset

from . import auditor
from .longest import place
from .scale.pgbouncer import MISSING, PROGRAM, PgBouncer
from .scale.smoke import SMOKE

RUN = "LOYALTY_TEST_RUN"
PREFIX = "loyalty-test-"
# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
leave_out()
PATIENCE = 30.0
held = ExitStack()
started: list[Postgres | Valkey] = []


def pytest_collection_finish() -> None:
    """What was imported stays: looking for garbage in it again and again takes a tenth of a run."""
    collect_seldom()


@dataclass(frozen=True, slots=True)
class Cluster:
    """The servers of this run: the superuser's address, Valkey's, and the run's own name."""

    admin: str
    valkey: str
    run: str

    @property
    def template(self) -> str:
        return f"loyalty_{self.run}_template"


def pytest_configure(config: pytest.Config) -> None:
    if "LOYALTY_TEST_ORACLE" in os.environ:
        from tests.compiled.oracle import Oracle

        config.pluginmanager.register(Oracle(), "oracle")
    if hasattr(config, "workerinput"):
        return
    for old in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        _sweep(old)
    run = Path(tempfile.mkdtemp(prefix=PREFIX))
    run.chmod(0o711)  # root's servers run as another user and must pass through
    held.enter_context(alone(run))
    os.environ[RUN] = str(run)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Where workers run the tests, the servers start while these still look for them."""
    if getattr(session.config.option, "numprocesses", None):
        asyncio.run(_servers())


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m smoke` nothing else is imported, which would take longer than its tests."""
    if config.option.markexpr != "smoke" or collection_path.suffix != ".py":
        return None
    return collection_path.relative_to(Path(__file__).parent).as_posix() not in SMOKE or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if _name(item) in SMOKE:
            item.add_marker(pytest.mark.smoke)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: place(_name(item)))


def _name(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).as_posix()


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    run = Path(os.environ[RUN])
    found = private.read(run / "cluster.json")
    if found and "LOYALTY_TEST_DATABASE_URL" in os.environ:
        template = Cluster(**found).template
        asyncio.run(_run(found["admin"], f'drop database "{template}"'))
    for server in started:
        server.stop()
    held.close()
    _sweep(run)


def _sweep(run: Path) -> None:
    with suppress(Problem, PermissionError, FileNotFoundError):  # in use, another user's, gone
        reset(run)
        shutil.rmtree(run, ignore_errors=True)


@pytest.fixture(scope="session")
async def cluster() -> Cluster:
    """The servers of this run, with a migrated template database."""
    return await _servers()


async def _servers() -> Cluster:
    """Started once, by whoever asks first."""
    run = Path(os.environ[RUN])
    with _one_at_a_time(run / "starting"):
        found = private.read(run / "cluster.json")
        if not found:
            name = run.name.removeprefix(PREFIX).lower()
            found = {"admin": _admin(run), "valkey": _valkey(run), "run": name}
            await _make_template(Cluster(**found))
            private.write(run / "cluster.json", found)
    return Cluster(**found)


def _admin(run: Path) -> str:
    if given := os.environ.get("LOYALTY_TEST_DATABASE_URL"):
        return given
    server = Postgres(home(run), password="test", options=FORGETFUL)
    started.append(server)
    return server.start()


def _valkey(run: Path) -> str:
    if given := os.environ.get("LOYALTY_TEST_REDIS_URL"):
        return given
    server = Valkey(home(run), password="test")
    started.append(server)
    return server.start()


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def _make_template(cluster: Cluster) -> None:
    await _run(cluster.admin, f'create database "{cluster.template}"')
    template = _in_database(cluster.admin, cluster.template)
    await bootstrap(template)
    await migrate(template, migration_packages())
    await set_passwords(cluster.admin, {role: _password(cluster, role) for role in ROLES})


def _password(cluster: Cluster, role: str) -> str:
    # The same in every run against one server: runs at the same time must not part over it.
    return hmac.digest(cluster.admin.encode(), role.encode(), "sha256").hex()


Route = Callable[[Addresses], Addresses]


@pytest.fixture(scope="session")
def logins(cluster: Cluster) -> Addresses:
    """The server's addresses as each login, in no database in particular."""
    return Addresses(
        cluster.admin, *(address(cluster.admin, role, _password(cluster, role)) for role in ROLES)
    )


@pytest.fixture(scope="session")
def pgbouncer(logins: Addresses) -> Iterator[PgBouncer]:
    """PgBouncer before the test server; each worker has its own."""
    if PROGRAM is None:
        raise pytest.skip.Exception(MISSING)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    server = PgBouncer(Path(os.environ[RUN]) / f"pgbouncer-{worker}", logins)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def route(request: pytest.FixtureRequest) -> Route:
    """The way of the serving logins: straight, or through PgBouncer."""
    if "LOYALTY_TEST_POOLER" not in os.environ:
        return lambda addresses: addresses
    through: Route = request.getfixturevalue("pgbouncer").through
    return through


@pytest.fixture(scope="session")
async def new_dsn(
    cluster: Cluster, route: Route
) -> AsyncIterator[Callable[[], Awaitable[Addresses]]]:
    """Makes one more migrated, empty database: for tests that break something on purpose."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    made: list[str] = []

    async def make() -> Addresses:
        name = f"loyalty_{cluster.run}_{worker}_{len(made)}"
        await _run(cluster.admin, f'create database "{name}" template "{cluster.template}"')
        made.append(name)
        logins = (address(cluster.admin, role, _password(cluster, role), name) for role in ROLES)
        return route(Addresses(_in_database(cluster.admin, name), *logins))

    yield make
    if "LOYALTY_TEST_DATABASE_URL" in os.environ:
        for name in made:
            await _run(cluster.admin, f'drop database "{name}" with (force)')


@pytest.fixture(scope="session")
async def dsn(new_dsn: Callable[[], Awaitable[Addresses]]) -> Addresses:
    """The database of this worker."""
    return await new_dsn()


@pytest.fixture(scope="session", autouse=True)
async def _auditors() -> AsyncIterator[None]:
    yield
    await auditor.close()


@pytest.fixture(scope="session")
async def database(dsn: Addresses) -> AsyncIterator[Database]:
    """The worker's database, open as the API opens it (login loyalty_app)."""
    # Patient: a busy machine is not what these tests are about.
    opened = await Database.open(dsn.app, acquire_timeout=PATIENCE)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def valkey_url(cluster: Cluster) -> str:
    """Valkey, and in it a numbered database that no other worker uses (pub/sub is shared)."""
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return urlunsplit(urlsplit(cluster.valkey)._replace(path=f"/{int(number) % 16}"))


def _in_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
