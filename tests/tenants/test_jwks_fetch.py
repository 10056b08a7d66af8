"""Fetching a key set: bounded, without redirects, to the address that was checked."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from loyalty_tenants import jwks_fetch
from loyalty_tenants.jwks_fetch import BYTES_MAX, FetchFailed, JwksFetcher

GOOD = b'{"keys": [{"kid": "a"}, 7]}'


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Host:
    """A web server that answers every request with the same bytes, or never."""

    def __init__(self) -> None:
        self.answer: bytes | None = answer(GOOD)
        self.requests: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
            if self.answer is None:
                await reader.read()
            else:
                writer.write(self.answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def certificate(name: str, folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return cert, private


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Any]]:
    servers = []

    async def begin(tls: ssl.SSLContext | None = None) -> Host:
        host = Host()
        server = await asyncio.start_server(host.serve, "127.0.0.1", 0, ssl=tls)
        host.port = server.sockets[0].getsockname()[1]
        servers.append(server)
        return host

    yield begin
    for server in servers:
        server.close()


async def fetched(url: str, **given: Any) -> list[dict[str, Any]]:
    fetcher = JwksFetcher(**{"insecure": True, **given})
    try:
        return await fetcher.fetch(url)
    finally:
        await fetcher.close()


async def test_keys_are_fetched_by_the_name_that_was_asked_for(start: Any) -> None:
    host = await start()
    assert await fetched(f"http://localhost:{host.port}/keys?v=1") == [{"kid": "a"}]
    assert host.requests[0].startswith("GET /keys?v=1 HTTP/1.1\r\n")
    assert f"\r\nhost: localhost:{host.port}\r\n" in host.requests[0].lower()


@pytest.mark.parametrize(
    "reply",
    [
        answer(GOOD, "302 Found", "location: /other"),
        answer(GOOD, "307 Temporary Redirect", "location: http://169.254.169.254/"),
        answer(GOOD, "500 Internal Server Error"),
        answer(GOOD, "204 No Content"),
        answer(GOOD, "200 OK", "content-encoding: gzip"),
        answer(b'{"keys": [' + b" " * BYTES_MAX + b"]}"),
        answer(b"not json"),
        answer(b'{"keys": {}}'),
        answer(b"[]"),
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"garbage\r\n\r\n",
        None,
    ],
)
async def test_anything_else_is_no_key_set(
    start: Any, reply: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks_fetch, "SECONDS_MAX", 2.0)
    host = await start()
    host.answer = reply
    with pytest.raises(FetchFailed):
        await fetched(f"http://localhost:{host.port}/keys")
    assert len(host.requests) == 1


async def test_nothing_inside_is_reached(start: Any) -> None:
    host = await start()
    for url in (
        f"http://127.0.0.1:{host.port}/keys",
        f"https://127.0.0.1:{host.port}/keys",
        f"https://localhost:{host.port}/keys",
        f"https://[::ffff:127.0.0.1]:{host.port}/keys",
        f"https://2130706433:{host.port}/keys",
    ):
        with pytest.raises(FetchFailed):
            await fetched(url, insecure=False)
    assert host.requests == []


async def test_the_certificate_must_be_the_hosts_own(start: Any, tmp_path: Path) -> None:
    outcomes = {}
    for name in ("localhost", "other.example"):
        folder = tmp_path / name
        folder.mkdir()
        cert, key = certificate(name, folder)
        served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        served.load_cert_chain(cert, key)
        host = await start(served)
        trusted = ssl.create_default_context(cafile=str(cert))
        try:
            found: Any = await fetched(f"https://localhost:{host.port}/keys", tls=trusted)
        except FetchFailed:
            found = "refused"
        outcomes[name] = found
    assert outcomes == {"localhost": [{"kid": "a"}], "other.example": "refused"}
