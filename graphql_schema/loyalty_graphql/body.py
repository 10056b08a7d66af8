"""The body of a request: read up to a cap, guarded, parsed. Nothing here trusts its sender."""

import re
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.types import Receive

from loyalty_graphql.edge_code import EdgeCode
from loyalty_graphql.rejection import Rejected, bad_request

NESTING_MAX = 32

# A string of JSON, also one that never ends. Possessive, so that it cannot backtrack.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
# One kind of bracket, so that each pass takes away one level. Whether they pair, the parser says.
_ONE_KIND = bytes.maketrans(b"{}", b"[]")


async def read(headers: Headers, receive: Receive, cap: int) -> bytes:
    """The whole body.

    :raises Rejected: 413 as soon as it is known to be larger than the cap, also where it comes in
        chunks; 400 where the sender went away; 415 for a compressed one
    """
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Rejected(415, EdgeCode.UNSUPPORTED_MEDIA_TYPE, "send the body uncompressed")
    declared = headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and (len(declared) > 15 or int(declared) > cap):
        raise too_large(cap)
    chunks: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise bad_request("the body ended before its end")
        chunks.append(message.get("body", b""))
        length += len(chunks[-1])
        if length > cap:
            raise too_large(cap)
        if not message.get("more_body", False):
            return b"".join(chunks)


def too_large(cap: int) -> Rejected:
    return Rejected(413, EdgeCode.BODY_TOO_LARGE, f"send at most {cap:,} bytes in one request")


def parse(raw: bytes) -> Any:
    """The JSON value of a body.

    :raises Rejected: 400 for what is no JSON, nests too deeply, or holds a NUL, which no text of
        ours can keep (lone surrogates are no JSON to this parser)
    """
    if nests_deeper(raw, NESTING_MAX):
        raise bad_request(f"send JSON that nests at most {NESTING_MAX} levels deep")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise bad_request("send a body that is valid JSON in UTF-8") from None
    if b"\\u0000" in raw and holds_nul(value):
        raise bad_request("send no NUL characters")
    return value


def nests_deeper(raw: bytes, levels: int) -> bool:
    """Whether JSON nests deeper, told from its brackets alone and in time linear to its length.

    Text that is no JSON may be told either way; it does not get past the parser.
    """
    if raw.count(b"[") + raw.count(b"{") <= levels:
        return False
    # Without a backslash every second piece between quotes is a string.
    bare = _STRING.sub(b"", raw) if b"\\" in raw else b"".join(raw.split(b'"')[::2])
    brackets = bare.translate(_ONE_KIND, _NO_BRACKET)
    for _ in range(levels):
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            break
    return bool(brackets)


def holds_nul(value: Any) -> bool:
    match value:
        case str():
            return "\0" in value
        case list():
            return any(map(holds_nul, value))
        case dict():
            return any("\0" in name or holds_nul(kept) for name, kept in value.items())
    return False
