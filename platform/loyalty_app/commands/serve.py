"""`loyalty serve`"""

from loyalty_app.settings import Settings

IN_FLIGHT_MAX = 1_000
GRACE_SECONDS = 20


def serve() -> None:
    """Serve the GraphQL API until it is told to stop; what is under way is finished first."""
    import uvicorn

    from loyalty_app.asgi import create_app

    settings = Settings.load()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=IN_FLIGHT_MAX,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws_max_size=256 * 1024,
        reset_contextvars=True,
    )
