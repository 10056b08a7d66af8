"""Each request runs in an empty context.

Servers may hand one request the context variables of another: uvicorn does so for requests queued
on one connection. Ours hold a tenant's transaction, so this stands outermost, under any server.
"""

import asyncio
from contextvars import Context

from starlette.types import ASGIApp, Receive, Scope, Send


class FreshContext:
    """ASGI middleware; put it around everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def request() -> None:
            await self._app(scope, receive, send)

        await asyncio.create_task(request(), context=Context())
