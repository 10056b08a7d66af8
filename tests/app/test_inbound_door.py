"""The door for outside systems where something is wrong: who delivers is told to come again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from loyalty_app.asgi import application
from loyalty_app.services import Services
from loyalty_app.settings import Settings


@asynccontextmanager
async def door(settings: Settings) -> AsyncIterator[tuple[httpx.AsyncClient, Services]]:
    """A client of an application in this process."""
    app = application(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
            yield client, app.state.services


async def test_without_a_database_a_delivery_is_to_come_again(settings: Settings) -> None:
    async with door(settings) as (client, services):
        await services.api.database.close()
        answer = await client.post("/in/nobody/subscriptions", content=b"{}")
    assert (answer.status_code, answer.json()) == (503, {"detail": "deliver again"})
    assert answer.headers["retry-after"] == "5"
