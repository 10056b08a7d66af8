"""One try against a real server: what it may answer, how long, how much, and where we never go."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from loyalty.ids import new_id
from loyalty_tenants.egress import Blocked, Reach
from loyalty_tenants.egress_client import EgressClient
from loyalty_tenants.webhooks.queue import Answer, Letter
from loyalty_tenants.webhooks.sender import Sender, retry_after
from loyalty_tenants.webhooks.signature import new_secret, shown
from tests.faults.receiver import (
    Flood,
    Receiver,
    answers,
    closes_after_headers,
    closes_at_once,
    drips,
    gzip_bomb,
    sleeps,
    talks_garbage,
)
from tests.tenants.test_jwks_fetch import certificate

SECRET = new_secret()
NIL = UUID(int=0)


def letter(url: str) -> Letter:
    return Letter(
        tenant_id=NIL, endpoint_id=NIL, line=NIL, token=NIL, delivery_id=NIL, event_id=new_id(),
        url=url, body=b'{"type":"x"}', attempts=0, keys=(SECRET,),
    )  # fmt: skip


@pytest.fixture
async def send() -> AsyncIterator[Callable[..., Any]]:
    """Tries a delivery, by default to anywhere on this machine."""
    clients: list[EgressClient] = []

    async def go(url: str, *, reach: Reach | None = None, tls: Any = None, seconds: float = 2.0,
                 connect: float = 1.0) -> Answer:  # fmt: skip
        where = Reach(trusted=("127.0.0.1", "localhost")) if reach is None else reach
        client = EgressClient(where, tls=tls, connect=connect)
        clients.append(client)
        return await Sender(client, seconds=seconds).send(letter(url), datetime.now(UTC))

    yield go
    for client in clients:
        await client.close()


async def test_a_try_is_one_signed_post(send: Any, receiver: Receiver) -> None:
    answer = await send(f"{receiver.url}/hook?a=1")

    (heard,) = receiver.heard
    assert (answer.status, answer.problem, answer.taken) == (204, None, True)
    assert heard.path == "/hook?a=1"
    assert heard.verified(shown(SECRET)) == {"type": "x"}
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["accept-encoding"] == "identity"
    assert heard.headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize(
    ("behaviour", "status", "problem"),
    [
        (answers(200, body=b"ok"), 200, None),
        (answers(299), 299, None),
        (answers(500), 500, "answered 500"),
        (answers(400), 400, "answered 400"),
        (answers(302, "location: http://169.254.169.254/latest"), 302, "answered 302"),
        (gzip_bomb, 500, "answered 500"),
        (closes_after_headers, 500, "answered 500"),
        (closes_at_once, None, "RemoteProtocolError"),
        (talks_garbage, None, "RemoteProtocolError"),
        (sleeps(60), None, "no answer within 2 s"),
        (drips, None, "no answer within 2 s"),
    ],
)
async def test_what_is_answered_is_noted_and_nothing_else_done(
    send: Any, receiver: Receiver, behaviour: Any, status: int | None, problem: str | None
) -> None:
    receiver.script["/"] = behaviour

    answer = await send(f"{receiver.url}/")

    assert answer.status == status
    assert answer.taken is (problem is None)
    assert (answer.problem is None) if problem is None else answer.problem.startswith(problem)
    assert receiver.connections == 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(send: Any, receiver: Receiver, code: int) -> None:
    inside = await Receiver().start()
    receiver.script["/"] = answers(code, f"location: http://127.0.0.1:{inside.port}/inside")

    answer = await send(f"{receiver.url}/")
    await inside.stop()

    assert (answer.status, answer.taken, inside.connections) == (code, False, 0)


@pytest.mark.parametrize("status", [200, 500])
async def test_of_a_body_only_the_beginning_is_taken(
    send: Any, receiver: Receiver, status: int
) -> None:
    flood = Flood(status)
    receiver.script["/"] = flood

    answer = await send(f"{receiver.url}/", seconds=20.0)

    assert (answer.status, answer.taken) == (status, status == 200)
    assert flood.sent < 30_000_000  # what the buffers between the two held


async def test_the_certificate_must_be_the_hosts_own(send: Any, tmp_path: Path) -> None:
    outcomes = {}
    for name in ("localhost", "other.example"):
        folder = tmp_path / name
        folder.mkdir()
        cert, key = certificate(name, folder)
        served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        served.load_cert_chain(cert, key)
        receiver = await Receiver(tls=served).start()
        trusted = ssl.create_default_context(cafile=str(cert))
        answer = await send(f"https://localhost:{receiver.port}/", tls=trusted)
        outcomes[name] = answer.status, len(receiver.heard)
        await receiver.stop()
    assert outcomes == {"localhost": (204, 1), "other.example": (None, 0)}


async def test_garbage_where_tls_should_be_is_a_failed_try(send: Any) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await talks_garbage(writer)
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    answer = await send(f"https://127.0.0.1:{port}/")
    server.close()

    assert answer.status is None
    assert answer.problem.startswith("ConnectError: [SSL")


async def test_the_environments_proxy_is_not_asked(
    send: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = await Receiver().start()
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, proxy.url)

    answer = await send(f"{receiver.url}/")
    await proxy.stop()

    assert (answer.status, proxy.connections) == (204, 0)


# Everything that leads inside, in whatever writing. {p} is the port of a server that listens there.
VECTORS = [
    "http://127.0.0.1:{p}/", "https://127.0.0.1:{p}/", "https://localhost:{p}/",
    "https://127.1:{p}/", "https://0x7f.1:{p}/", "https://2130706433:{p}/",
    "https://0177.0.0.1:{p}/", "https://①②⑦.⓪.⓪.①:{p}/", "https://0:{p}/", "https://[::1]:{p}/",
    "https://[::ffff:127.0.0.1]:{p}/", "https://[::127.0.0.1]:{p}/",
    "https://[64:ff9b::7f00:1]:{p}/", "https://[2002:7f00:1::1]:{p}/", "https://localhost.:{p}/",
    "https://good@127.0.0.1:{p}/", "https://good:pw@127.0.0.1:{p}/",
    "https://127.0.0.1:{p}#@good.example/", "https://127.0.0.1:{p}/\r\nx: y",
    "https://127。0。0。1:{p}/", "https://[fe80::1%25lo]:{p}/", "https://LOCALHOST:{p}/",
    "HTTPS://127.0.0.1:{p}/", "https://127.0.0.1.:{p}/", "https://0.0.0.0:{p}/",
    "https://[::]:{p}/", "https://127.0.0.1%2f@good.example:{p}/", "//127.0.0.1:{p}/",
    "file:///etc/passwd", "gopher://127.0.0.1:{p}/", "ftp://127.0.0.1:{p}/", "127.0.0.1:{p}",
    "https://" + "x" * 2000 + ".example/", "https:///", "", "https://",
]  # fmt: skip
ADDRESSES = [
    "https://169.254.169.254/", "https://[::ffff:169.254.169.254]/", "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:a9fe:a9fe::1]/", "https://[fd00:ec2::254]/", "https://100.64.0.1/",
    "https://224.0.0.1/", "https://192.88.99.1/", "https://10.0.0.1/", "https://172.16.0.1/",
    "https://192.168.0.1/", "https://255.255.255.255/", "https://[ff02::1]/", "https://[fe80::1]/",
    "https://8.8.8.8:22/", "https://8.8.8.8:25/", "https://8.8.8.8:5432/", "https://8.8.8.8:6379/",
    "http://8.8.8.8/",
]  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS + ADDRESSES)
async def test_nothing_inside_is_reached(
    send: Any, receiver: Receiver, vector: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a byte nor a connection: not even the attempt at one."""
    attempts = _refusing(monkeypatch)
    ports = Reach(ports={443, receiver.port})

    answer = await send(vector.format(p=receiver.port), reach=ports)

    assert answer.status is None
    assert answer.problem
    assert (receiver.connections, attempts) == (0, [])


@pytest.mark.parametrize(
    ("addresses", "reached"),
    [
        (["127.0.0.1"], False),
        (["93.184.216.34", "127.0.0.1"], False),
        (["93.184.216.34", "::1"], False),
        (["93.184.216.34"], True),
    ],
)
async def test_every_address_of_a_name_is_checked_and_the_checked_one_is_taken(
    send: Any, monkeypatch: pytest.MonkeyPatch, addresses: Any, reached: bool
) -> None:
    """A name that is another the second time changes nothing: there is no second time."""
    loop = asyncio.get_running_loop()
    asked: list[str] = []
    real = loop.getaddrinfo

    async def resolve(host: Any, port: Any, **given: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        asked.append(name)
        if name != "rebound.example":
            return await real(host, port, **given)
        return [(2, 1, 6, "", (address, port)) for address in addresses]

    attempts = _refusing(monkeypatch)
    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    answer = await send("https://rebound.example/", reach=Reach())

    assert answer.status is None
    assert asked.count("rebound.example") == 1
    assert attempts == ([("93.184.216.34", 443)] if reached else [])


def _refusing(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every connection that is attempted is noted, and refused before anything leaves."""
    attempts: list[Any] = []

    async def refuse(sock: Any, address: Any) -> None:
        attempts.append(address)
        raise ConnectionRefusedError(address)

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", refuse)
    return attempts


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/hooks",
        "https://shop.example:8443/",
        "https://xn--bcher-kva.example/x?y=1",
    ],
)
def test_a_public_address_is_fine(url: str) -> None:
    assert str(Reach().url(url)) == url


def test_who_is_trusted_is_trusted_to_the_letter() -> None:
    here = Reach(trusted=("hooks.internal",))
    assert here.url("http://hooks.internal:8080/x").host == "hooks.internal"
    for other in (
        "http://hooks.internal.example/",
        "http://a.hooks.internal/",
        "ftp://hooks.internal",
    ):
        with pytest.raises(Blocked):
            here.url(other)


def test_when_to_come_again_is_read_in_seconds_and_as_a_date() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    told = {
        "120": timedelta(minutes=2),
        "Thu, 01 Jan 2026 00:10:00 GMT": timedelta(minutes=10),
        "Thu, 01 Jan 2020 00:10:00 GMT": timedelta(0),
        "soon": None,
        "-5": None,
        "9" * 40: None,
        "": None,
    }
    assert {text: retry_after({"retry-after": text}, now) for text in told} == told
