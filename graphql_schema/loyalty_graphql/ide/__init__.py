"""GraphiQL served from this package: nothing is fetched from anywhere else.

`static/` holds the unchanged files of the npm packages that NOTICE names, and our page's own script
and style; `hashes.json` what they are checked against.
"""

from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HERE = Path(__file__).parent

# Editor and explorer write style attributes; scripts come from our files only.
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def ide_routes(path: str = "/ide", *, endpoint: str = "/graphql") -> list[BaseRoute]:
    """The page at `path` and its files beneath it. It asks the GraphQL API at `endpoint`."""
    static = f"{path}/static"
    page = (HERE / "page.html").read_text(encoding="utf-8")
    page = page.replace("{static}", escape(static)).replace("{endpoint}", escape(endpoint))

    async def show(request: Request) -> HTMLResponse:
        return HTMLResponse(page, headers=_HEADERS)

    return [
        Mount(static, _with_headers(StaticFiles(directory=HERE / "static"))),
        Route(path, show, methods=["GET"]),
    ]


def _with_headers(app: ASGIApp) -> ASGIApp:
    extra = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        await app(scope, receive, send_more)

    return answer
