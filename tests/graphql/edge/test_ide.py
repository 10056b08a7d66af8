"""The page for trying things out: complete, offline, and what was published on npm."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from loyalty_graphql import ide

STATIC = Path(ide.__file__).parent / "static"
OURS = {"page.css", "page.js"}


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.inline += tag == "style" or (tag == "script" and "src" not in given)
        self.inline += any(name.startswith("on") or name == "style" for name in given)
        self.found += [v for name, v in given.items() if name in ("src", "href") and v]


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = Starlette(routes=ide.ide_routes("/try", endpoint='/graph"ql'))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test")


async def test_everything_the_page_needs_is_here(client: httpx.AsyncClient) -> None:
    page = await client.get("/try")
    links = Links()
    links.feed(page.text)
    addresses = [link for link in links.found if not link.startswith("data:")]
    assert len(addresses) == 8
    for address in addresses:
        assert address.startswith("/try/static/")
        answer = await client.get(address)
        assert answer.status_code == 200
        assert answer.content
    assert links.inline == 0, "the policy forbids inline scripts and styles"


async def test_the_page_names_its_endpoint_safely(client: httpx.AsyncClient) -> None:
    assert 'data-endpoint="/graph&quot;ql"' in (await client.get("/try")).text


@pytest.mark.parametrize("path", ["/try", "/try/static/page.js"])
async def test_browsers_are_told_to_trust_nothing_else(
    client: httpx.AsyncClient, path: str
) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy


async def test_nothing_outside_of_the_folder_is_served(client: httpx.AsyncClient) -> None:
    for path in ("/try/static/../page.html", "/try/static/%2e%2e/page.html", "/try/static/"):
        assert (await client.get(path)).status_code == 404


def test_the_files_are_those_that_were_published() -> None:
    listed = json.loads((STATIC.parent / "hashes.json").read_text())
    assert set(listed) == {path.name for path in STATIC.iterdir()} - OURS
    for name, about in listed.items():
        digest = hashlib.sha384((STATIC / name).read_bytes()).digest()
        assert about["integrity"] == "sha384-" + base64.b64encode(digest).decode()


def test_every_package_is_named_with_its_license() -> None:
    notice = (STATIC.parent / "NOTICE").read_text()
    for about in json.loads((STATIC.parent / "hashes.json").read_text()).values():
        name, _, version = about["package"].rpartition("@")
        assert re.search(rf"^{re.escape(name)} {re.escape(version)}\b", notice, re.MULTILINE)


def test_our_own_script_fetches_from_nowhere_else() -> None:
    for name in OURS:
        assert "//" not in re.sub(r"^\s*//.*$", "", (STATIC / name).read_text(), flags=re.MULTILINE)
