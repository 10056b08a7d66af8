"""`loyalty wait`"""

import asyncio
import time
from typing import Annotated

import typer

from loyalty_app.problem import Problem
from loyalty_app.settings import Settings

PAUSE_SECONDS = 1.0


def wait(
    seconds: Annotated[float, typer.Option(min=0, help="How long it may take.")] = 300,
) -> None:
    """Wait until the database can be served from: for what starts beside a migration.

    It answers, the serving logins that are set get in, and every migration of this release is
    applied. Exit code 1 where that takes longer.
    """
    from loyalty_app.prepare import LOGINS

    settings = Settings.load()
    given = {name: role for name, role in LOGINS.items() if getattr(settings, name) is not None}
    if not given:
        raise Problem("There is no login to wait with", f"Set LOYALTY_{next(iter(LOGINS)).upper()}")
    deadline = time.monotonic() + seconds
    while problem := asyncio.run(_in_the_way(settings, given)):
        if time.monotonic() >= deadline:
            raise problem
        time.sleep(PAUSE_SECONDS)


async def _in_the_way(settings: Settings, given: dict[str, str]) -> Problem | None:
    """What keeps the first login from serving, if anything does."""
    from loyalty.migrate import awaited
    from loyalty_app.doctor import login
    from loyalty_app.installed import migration_packages

    for name, role in given.items():
        url = settings.need(name)
        finding = await login(url, role, f"LOYALTY_{name.upper()}")
        if finding.mend is not None:
            return Problem(finding.what, finding.mend)
        if missing := await awaited(url, migration_packages()):
            return Problem(f"Migrations pending: {', '.join(missing)}", "Run `loyalty migrate`")
    return None
