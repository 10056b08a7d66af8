"""`loyalty up`"""

from loyalty_app.settings import Settings


def up() -> None:
    """Run the whole platform on this machine until Ctrl-C: servers, API and worker.

    Without LOYALTY_DATABASE_URL and LOYALTY_REDIS_URL it starts servers of its own, whose data is
    kept in LOYALTY_DATA_DIR (./.loyalty).
    """
    from rich.console import Console

    from loyalty_app.children import loyalty
    from loyalty_app.up import up as run
    from loyalty_app.welcome import welcome

    console = Console()
    # Not what is running in the data folder: these are the settings to start from.
    settings = Settings()

    async def tell(ready: Settings) -> None:
        await welcome(ready, console)

    run(settings, children=(loyalty("API", "serve"), loyalty("worker", "worker")), welcome=tell)
    console.print("Stopped.")
