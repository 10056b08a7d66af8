"""A host of published keys that does as it is told: answers, fails, dawdles, floods, hangs up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

AUDIENCE = "faults"


class KeyHost:
    """Publishes one key at a time; `behaviour` is how it answers for it."""

    def __init__(self) -> None:
        self.behaviour = "well"
        self.requests = 0
        self.port = 0
        self.rotate("first")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/keys"

    def rotate(self, kid: str) -> None:
        self._kid, self._key = kid, Ed25519PrivateKey.generate()

    def token(self, subject: str, tenant: str, kid: str | None = None) -> str:
        now = datetime.now(UTC)
        claims = {
            "iss": self.url, "aud": AUDIENCE, "sub": subject, "tenant": tenant, "role": "MEMBER",
            "iat": now, "exp": now + timedelta(hours=1),
        }  # fmt: skip
        headers = {"kid": kid or self._kid}
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers=headers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            await self._answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        public = jwt.algorithms.OKPAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        body = orjson.dumps({"keys": [{**public, "kid": self._kid, "use": "sig"}]})
        match self.behaviour:
            case "well":
                writer.write(_response("200 OK", body))
            case "fails":
                writer.write(_response("500 Oops", b"{}"))
            case "floods":
                writer.write(_response("200 OK", b"[" * 1_000_000))
            case "dawdles":
                await reader.read()  # until the other side has had enough
        await writer.drain()


def _response(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return head.encode() + body


@asynccontextmanager
async def key_host() -> AsyncIterator[KeyHost]:
    host = KeyHost()
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    host.port = server.sockets[0].getsockname()[1]
    try:
        yield host
    finally:
        server.close()
