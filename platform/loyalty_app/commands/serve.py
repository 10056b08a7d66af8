"""`loyalty serve`"""

import asyncio

from loyalty_app.garbage import collect_later, collect_seldom
from loyalty_app.lean import leave_out
from loyalty_app.ports import require_free
from loyalty_app.problem import Problem
from loyalty_app.settings import Settings


def serve() -> None:
    """Serve the GraphQL API until it is told to stop; what is under way is finished first."""
    collect_later()
    leave_out()
    from loyalty_app.asgi import create_app
    from loyalty_app.installed import installed
    from loyalty_app.logs import configure
    from loyalty_app.metrics import metrics
    from loyalty_app.server import server
    from loyalty_app.traces import traces

    settings = Settings.load()
    configure(settings.log_format, settings.log_level)
    settings.need("operator_secret")
    asyncio.run(_check(settings))
    leaving = asyncio.Event()
    app = create_app(
        settings, plugins=installed(), leaving=leaving, stuck_after=settings.watchdog_seconds
    )
    collect_seldom()
    serving = server(app, leaving, host=settings.host, port=settings.port)
    try:
        with metrics(settings.host, settings.metrics_port), traces("loyalty-api"):
            serving.run()
    except SystemExit:  # as uvicorn ends where it cannot listen
        if not serving.started:
            require_free(settings.host, settings.port, setting="LOYALTY_PORT")
        raise
    if not serving.started:
        raise SystemExit(3)  # the log says why


async def _check(settings: Settings) -> None:
    """Say what is wrong with the database login before a server is started on it.

    :raises Problem: it is not safe to serve with, or there is nobody to log in to
    """
    from loyalty.database import Database, UnsafeLogin

    try:
        database = await Database.open(settings.need("app_database_url"), size=1)
    except UnsafeLogin as unsafe:
        raise Problem(
            str(unsafe).rstrip("."), "Give LOYALTY_APP_DATABASE_URL the login loyalty_app"
        ) from None
    except OSError as error:
        raise Problem(
            f"The database of LOYALTY_APP_DATABASE_URL does not answer ({error})",
            "Start it, or correct the address; `loyalty doctor` looks closer",
        ) from None
    await database.close()
