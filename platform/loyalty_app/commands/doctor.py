"""`loyalty doctor`"""

import asyncio
import time
from typing import Annotated

import typer

from loyalty_app.settings import Settings

PAUSE_SECONDS = 2.0


def doctor(
    wait: Annotated[
        float, typer.Option(min=0, help="So many seconds may it take until all is well.")
    ] = 0,
) -> None:
    """Say what is wrong with the environment and how to mend it; exit code 1 if anything is."""
    settings = Settings.load()
    deadline = time.monotonic() + wait
    while wait and not asyncio.run(_quietly(settings)) and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
    if not asyncio.run(_all_well(settings)):
        raise typer.Exit(1)


async def _quietly(settings: Settings) -> bool:
    from loyalty_app.doctor import examine

    return not [finding async for finding in examine(settings) if finding.mend is not None]


async def _all_well(settings: Settings) -> bool:
    from rich.console import Console
    from rich.text import Text

    from loyalty_app.doctor import examine

    console, well = Console(), True
    async for finding in examine(settings):
        if finding.mend is None:
            console.print(Text.assemble(("ok    ", "green"), finding.what), soft_wrap=True)
        else:
            well = False
            console.print(Text.assemble(("wrong ", "bold red"), finding.what), soft_wrap=True)
            console.print(Text(f"      {finding.mend}."), soft_wrap=True)
    return well
