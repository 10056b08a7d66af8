"""The explorer as a newcomer opens it: from the printed link to an answered query."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.async_api import Browser, expect

from loyalty.clock import SystemClock
from loyalty_app.asgi import create_app
from loyalty_app.demo_tenant import Demo, demo_tenant
from loyalty_app.ledger import open_ledger
from loyalty_app.logins import Addresses
from loyalty_app.settings import Settings

QUERY = 'query Welcome { member(by: {externalId: "ada"}) { balances { unit available } } }'


@pytest.fixture
async def explorer(
    dsn: Addresses, valkey_url: str, tmp_path: Path
) -> AsyncIterator[tuple[str, Demo]]:
    """A server with the demo tenant; its address and the tenant's credentials."""
    settings = Settings(
        app_database_url=dsn.app, redis_url=valkey_url, operator_secret=token_urlsafe(32)
    )
    async with open_ledger(settings, dsn.app, pool=2) as ledger:
        demo = await demo_tenant(ledger, tmp_path, SystemClock().now())
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="warning"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
        assert not task.done(), task.exception()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", demo
    server.should_exit = True
    await task


async def test_a_newcomers_first_query_is_answered_and_nothing_leaves_the_machine(
    browser: Browser, explorer: tuple[str, Demo]
) -> None:
    url, demo = explorer
    page = await browser.new_page()
    complaints: list[str] = []
    hosts: set[str | None] = set()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))

    await page.goto(f"{url}/ide#token={demo.api_key}")
    # Typed through the editor's own door: keys would be completed with brackets of its own.
    await page.wait_for_selector(".graphiql-query-editor .CodeMirror")
    await page.evaluate(
        "query => document.querySelector('.graphiql-query-editor .CodeMirror')"
        ".CodeMirror.setValue(query)",
        QUERY,
    )
    await page.click("button.graphiql-execute-button")
    await expect(page.locator(".result-window")).to_contain_text('"50"')
    assert complaints == []
    assert hosts <= {"127.0.0.1", None}
    await page.close()
