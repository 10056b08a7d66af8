"""What a newcomer is told when the platform runs: where it is and what to send it first."""

import asyncio
import json

from rich.console import Console

from loyalty.clock import SystemClock
from loyalty_app.demo_tenant import MEMBER, Demo, demo_tenant
from loyalty_app.ledger import open_ledger
from loyalty_app.settings import Settings

PAUSE_SECONDS = 0.05
QUERY = (
    f'{{ member(by: {{externalId: "{MEMBER}"}}) '
    "{ externalId balances { unit available expiries { at amount } } } }"
)


async def welcome(settings: Settings, console: Console) -> None:
    """Make sure of the demo tenant and, once the API answers, print how to speak for it."""
    dsn = settings.need("app_database_url")
    async with open_ledger(settings, dsn, pool=2) as ledger:
        demo = await demo_tenant(ledger, settings.data_dir, SystemClock().now())
    await _served(settings)
    _print(settings, demo, console)


async def _served(settings: Settings) -> None:
    """Wait for the API: it listens as soon as it can answer, and not before."""
    while True:
        try:
            _, writer = await asyncio.open_connection(settings.host, settings.port)
        except OSError:
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return writer.close()


def _print(settings: Settings, demo: Demo, console: Console) -> None:
    url = f"http://{settings.host}:{settings.port}"
    body = json.dumps({"query": QUERY})
    curl = (
        f"curl -s {url}/graphql -H 'authorization: Bearer {demo.api_key}' \\\n"
        f"  -H 'content-type: application/json' -d '{body}'"
    )
    for title, text in (
        ("Explorer", f"{url}/ide#token={demo.api_key}"),
        ("GraphQL", f"{url}/graphql   (schema: {url}/schema.graphql)"),
        ("API key of the tenant `demo` (ADMIN)", demo.api_key),
        (f"Token of its member `{MEMBER}`", demo.member_token),
        ("Try", curl),
    ):
        console.print(f"[bold]{title}[/bold]")
        # Plain and unwrapped: these lines are copied.
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    console.print("Ctrl-C stops everything; `make reset` forgets it.")
