"""What the world can do to a serving process before GraphQL is looked at, over raw connections."""

import asyncio
import re
from typing import Any

import asyncpg
import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from loyalty_app.bounded_http import HEAD_MAX
from loyalty_app.settings import Settings
from tests.faults.api import Api
from tests.faults.brand import Brand, make_brand

PING = '{"query": "{ __typename }"}'


async def say(api: Api, *parts: bytes, patience: float = 10.0) -> bytes:
    """Send bytes on a connection of its own; everything that comes back until it is quiet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    heard = b""
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(patience):
            while not _complete(heard) and (more := await reader.read(65_536)):
                heard += more
    except ConnectionError:
        pass  # it hung up while we spoke
    finally:
        writer.close()
    return heard


def _complete(heard: bytes) -> bool:
    head, found, body = heard.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return bool(found) and (length is None or len(body) >= int(length[1]))


def status(heard: bytes) -> int | None:
    """The status; None where the connection was closed without one."""
    return int(heard.split(b" ", 2)[1]) if heard else None


def request(line: str, *headers: str, body: str = "") -> bytes:
    return "\r\n".join([line, *headers, "", body]).encode("latin-1")


# More than sockets of both sides hold for somebody who does not read.
MEGABYTES = 64
POSTED = ("content-type: application/json", f"content-length: {len(PING)}")


@pytest.mark.parametrize(
    ("target", "host", "expected"),
    [
        ("/healthz", "evil.example/graphql?x", 200),
        ("/healthz", "evil.example", 200),
        ("/healthz/", "evil.example", 404),
        ("/graphql/", "evil.example", 404),
        ("/ide/", "evil.example", 404),
        ("//evil.example/healthz", "evil.example", 404),
        ("/@evil.example", "evil.example", 404),
        ("/healthz/../graphql", "evil.example", 404),
        ("/%2e%2e/healthz", "evil.example", 404),
        ("/in/../graphql", "evil.example", 405),
        ("http://evil.example/healthz", "evil.example", 200),
        ("/", "evil.example", 307),
    ],
)
async def test_the_host_that_a_request_names_decides_nothing(
    api: Api, target: str, host: str, expected: int
) -> None:
    heard = await say(api, request(f"GET {target} HTTP/1.1", f"host: {host}"))
    assert status(heard) == expected
    assert b"evil" not in heard


async def test_a_path_without_a_slash_is_refused(api: Api) -> None:
    assert status(await say(api, request("GET @evil HTTP/1.1", "host: x"))) in (400, 404)


@pytest.mark.parametrize(
    "headers",
    [
        ("content-length: 0", "transfer-encoding: chunked"),
        ("transfer-encoding: chunked", f"content-length: {len(PING)}"),
        ("content-length: 5", f"content-length: {len(PING)}"),
        ("content-length: +27",),
        ("content-length: 0x1b",),
        ("transfer-encoding: xchunked",),
        ("transfer-encoding: chunked, identity",),
        ("content-length : 27",),
        (" content-length: 27",),
    ],
)
async def test_no_request_is_smuggled_behind_another(api: Api, headers: tuple[str, ...]) -> None:
    smuggled = request("GET /healthz HTTP/1.1", "host: x")
    heard = await say(
        api,
        request(
            "POST /graphql HTTP/1.1", "host: x", "content-type: application/json", *headers,
            body="0\r\n\r\n" + smuggled.decode(),
        ),
    )  # fmt: skip
    assert status(heard) == 400
    assert heard.count(b"HTTP/1.1") == 1
    assert b"ok" not in heard


@pytest.mark.parametrize(
    "head",
    [
        request("GET /healthz HTTP/1.1", "host: x", "x-long: " + "a" * 100_000),
        request("GET /healthz HTTP/1.1", "host: x", *(f"x-{n}: {n}" for n in range(5_000))),
        request("GET /" + "a" * 100_000 + " HTTP/1.1", "host: x"),
        request("GET /healthz HTTP/1.1", "host: x", "a" * 100_000 + ": x"),
        request("POST /graphql HTTP/1.1", "host: x", f"authorization: Bearer {'a' * 200_000}"),
    ],
    ids=["a long header", "many headers", "a long path", "a long name", "a long token"],
)
async def test_a_head_that_is_too_large_is_refused(api: Api, head: bytes) -> None:
    assert status(await say(api, head)) in (400, None)
    assert status(await say(api, request("GET /healthz HTTP/1.1", "host: x"))) == 200


async def test_a_head_that_is_large_is_read(api: Api) -> None:
    long = "a" * (HEAD_MAX - 200)
    heard = await say(api, request("GET /healthz HTTP/1.1", "host: x", f"x-long: {long}"))
    assert status(heard) == 200


@pytest.mark.parametrize(
    "opening",
    [
        b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: ",
        b"GET /",
        b"POST /graphql HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1;",
    ],
    ids=["a header", "a path", "the extension of a chunk"],
)
async def test_what_never_ends_is_cut_off(api: Api, opening: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", api.port)
    with pytest.raises(ConnectionError):
        await _pour(writer, opening)
    writer.close()


async def _pour(writer: asyncio.StreamWriter, opening: bytes) -> None:
    writer.write(opening)
    for _ in range(MEGABYTES):
        writer.write(b"a" * 1024**2)
        await writer.drain()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
async def test_a_compressed_body_is_refused(api: Api, encoding: str) -> None:
    heard = await say(
        api,
        request(
            "POST /graphql HTTP/1.1", "host: x", f"content-encoding: {encoding}", *POSTED,
            body=PING,
        ),
    )  # fmt: skip
    assert status(heard) == 415


@pytest.mark.parametrize(
    "path",
    [
        "/metrics", "/debug", "/debug/pprof", "/admin", "/docs", "/openapi.json", "/graphiql",
        "/playground", "/.env", "/.git/config", "/static", "/ide/static/../page.html",
        "/ide/static/%2e%2e/%2e%2e/endpoint.py", "/server-status",
    ],
)  # fmt: skip
async def test_there_is_nothing_else(api: Api, path: str) -> None:
    assert status(await say(api, request(f"GET {path} HTTP/1.1", "host: x"))) == 404


async def test_health_tells_nothing_but_health(api: Api) -> None:
    heard = await say(api, request("GET /healthz HTTP/1.1", "host: x"))
    assert heard.endswith(b'{"status":"ok"}')
    assert b"server:" not in heard.lower()


@pytest.mark.parametrize("path", ["/ide", "/ide/static/page.js", "/ide/static/page.css"])
async def test_pages_tell_browsers_what_they_may(api: Api, path: str) -> None:
    heard = (await say(api, request(f"GET {path} HTTP/1.1", "host: x"))).lower()
    assert status(heard) == 200
    assert b"\r\nx-content-type-options: nosniff\r\n" in heard
    assert b"\r\ncontent-security-policy: default-src 'none';" in heard
    assert b"frame-ancestors 'none'" in heard


@pytest.mark.parametrize(
    "ranges", ["bytes=0-0", "bytes=" + ",".join(f"{n}-" for n in range(5_000)), "bytes=0-,-1,x"]
)
async def test_ranges_make_no_more_of_a_file_than_it_is(api: Api, ranges: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        whole = await http.get(f"{api.url}/ide/static/page.js")
        part = await http.get(f"{api.url}/ide/static/page.js", headers={"range": ranges})
    assert part.status_code in (200, 206, 400, 416)
    assert len(part.content) <= len(whole.content)


@pytest.fixture
async def brand(settings: Settings) -> Brand:
    return await make_brand(settings, members=1)


ENROLL = "mutation ($i: EnrollMemberInput!) { enrollMember(input: $i) { replayed } }"


async def test_no_secret_and_nobodys_data_is_in_the_log_or_in_an_error(
    api: Api, brand: Brand, settings: Settings
) -> None:
    """Whatever goes wrong: the canaries are in what was sent and in what the process was given."""
    person = "canary-person@example.com"
    given = {"externalId": person, "identifiers": ["canary-card-4111"]}
    bad_key = brand.api_key[:-6] + "canary"
    credentials = [brand.api_key, bad_key, "canary.canary.canary", "loy_live_canary_canary"]
    answers = []
    assert settings.database_url is not None
    superuser = await asyncpg.connect(settings.database_url)
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:

        async def ask(credential: str, body: Any) -> None:
            headers = {"authorization": f"Bearer {credential}"}
            response = await http.post(f"{api.url}/graphql", json=body, headers=headers)
            answers.append(response.text + str(response.headers))

        for credential in credentials:
            await ask(credential, {"query": ENROLL, "variables": {"i": given}})
        await ask(brand.api_key, {"query": "{ canaryfield }"})
        # Broken from inside, so that the process has something to complain of.
        await superuser.execute("alter table loyalty.member rename column external_id to gone")
        try:
            await ask(brand.api_key, {"query": ENROLL, "variables": {"i": given}})
            await ask(
                brand.api_key,
                {"query": f'{{ member(by: {{externalId: "{person}"}}) {{ id }} }}'},
            )
            await _subscribe(api, brand, person)
        finally:
            await superuser.execute("alter table loyalty.member rename column gone to external_id")
            await superuser.close()

    said = api.said()
    assert "INTERNAL" in answers[-1]
    assert "Traceback" in said  # there was something to find
    secrets = [brand.api_key.rpartition("_")[2], str(settings.operator_secret), brand.secret.text]
    for url in (settings.app_database_url, settings.redis_url):
        secrets.append(str(httpx.URL(str(url)).password))
    for canary in ("canary-person", "canary-card", "canary.canary", bad_key[-12:], *secrets):
        assert canary not in said, canary
    for canary in (bad_key[-12:], "canary.canary", *secrets):
        assert canary not in "".join(answers), canary
    for answer in answers[-2:]:
        assert not re.search("gone|external_id|loyalty[.]member|asyncpg|Undefined", answer)


async def _subscribe(api: Api, brand: Brand, person: str) -> None:
    query = f'subscription {{ balanceChanged(member: {{externalId: \\"{person}\\"}}) {{ cause }} }}'
    url = f"ws://127.0.0.1:{api.port}/graphql?token={brand.api_key}"
    protocols = [Subprotocol("graphql-transport-ws")]
    async with connect(url, subprotocols=protocols, proxy=None) as socket:
        payload = f'{{"authorization": "Bearer {brand.api_key}"}}'
        await socket.send(f'{{"type": "connection_init", "payload": {payload}}}')
        await socket.recv()
        await socket.send(f'{{"type": "subscribe", "id": "1", "payload": {{"query": "{query}"}}}}')
        await socket.recv()
