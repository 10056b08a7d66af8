"""`loyalty up`"""

from rich.console import Console

from loyalty_app.settings import Settings


def up() -> None:
    """Run the whole platform on this machine until Ctrl-C: servers, API and worker.

    Without LOYALTY_DATABASE_URL and LOYALTY_REDIS_URL it starts servers of its own, whose data is
    kept in LOYALTY_DATA_DIR (./.loyalty).
    """
    from loyalty_app.up import up as run

    console = Console()
    # Not what is running in the data folder: these are the settings to start from.
    settings = Settings()

    async def welcome(ready: Settings) -> None:
        console.print(f"Running; data in {ready.data_dir.resolve()}. Ctrl-C stops everything.")

    run(settings, children=(), welcome=welcome)
    console.print("Stopped.")
