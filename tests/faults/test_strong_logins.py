"""A process that was given too strong a database login by mistake does not start to serve."""

import time
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import pytest

from loyalty_app.logins import set_passwords
from tests.faults import report
from tests.faults.child import Child
from tests.faults.stand import Stand

SECONDS = 10.0
PASSWORD = "a-password-of-this-test"


def as_login(url: str, name: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{name}:{PASSWORD}@{parts.netloc.rpartition('@')[2]}"))


async def _superuser(platform: Stand) -> str:
    return platform.settings.need("database_url")


async def _member_of_the_owner(platform: Stand) -> str:
    async with platform.admin() as connection:
        await connection.execute("drop role if exists too_strong")
        await connection.execute("create role too_strong login in role loyalty_owner")
    await set_passwords(platform.settings.need("database_url"), {"too_strong": PASSWORD})
    return as_login(platform.settings.need("database_url"), "too_strong")


async def _past_row_security(platform: Stand) -> str:
    async with platform.admin() as connection:
        await connection.execute("drop role if exists unbound")
        await connection.execute("create role unbound login bypassrls in role loyalty_app")
    await set_passwords(platform.settings.need("database_url"), {"unbound": PASSWORD})
    return as_login(platform.settings.need("database_url"), "unbound")


@pytest.mark.parametrize(
    ("kind", "login", "says"),
    [
        ("api", _superuser, "superuser"),
        ("api", _past_row_security, "bypasses row-level security"),
        ("worker", _member_of_the_owner, "owns"),
    ],
)
async def test_a_process_with_a_strong_login_does_not_start(
    platform: Stand, kind: str, login: Callable[[Stand], object], says: str
) -> None:
    url = str(await login(platform))  # type: ignore[misc]
    setting = {"api": "LOYALTY_APP_DATABASE_URL", "worker": "LOYALTY_WORKER_DATABASE_URL"}[kind]
    child: Child = (platform.api if kind == "api" else platform.worker)(**{setting: url})
    begun = time.monotonic()
    child.start()
    code, _ = await child.ended()
    took = time.monotonic() - begun

    assert code == 1
    assert says in child.said()
    assert setting in child.said()
    assert "Traceback" not in child.said()
    if (kind, login) == ("api", _superuser):
        report.note(
            report.Row(
                place=130,
                what="a process is given too strong a database login",
                tried="API and worker as a superuser, as the schema's owner, past row security",
                held="it ends with exit code 1 and says which setting to correct",
                measured=f"ended after {took:.1f} s",
            )
        )
