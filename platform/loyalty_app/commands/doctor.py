"""`loyalty doctor`"""

import asyncio

import typer

from loyalty_app.settings import Settings


def doctor() -> None:
    """Say what is wrong with the environment and how to mend it; exit code 1 if anything is."""
    if not asyncio.run(_all_well()):
        raise typer.Exit(1)


async def _all_well() -> bool:
    from rich.console import Console
    from rich.text import Text

    from loyalty_app.doctor import examine

    console, well = Console(), True
    async for finding in examine(Settings.load()):
        if finding.mend is None:
            console.print(Text.assemble(("ok    ", "green"), finding.what), soft_wrap=True)
        else:
            well = False
            console.print(Text.assemble(("wrong ", "bold red"), finding.what), soft_wrap=True)
            console.print(Text(f"      {finding.mend}."), soft_wrap=True)
    return well
