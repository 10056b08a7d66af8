"""What is read of a body, and what is not."""

import gzip
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_graphql.body import NESTING_MAX, nests_deeper

NAMED = "query ($n: String!) { member(name: $n) { name } }"
BATCH = "mutation ($i: BatchInput!) { recordAll(input: $i) }"
SINGLE = "mutation ($i: PurchaseInput!) { record(input: $i) { total } }"


def deep(levels: int) -> bytes:
    return b'{"query": "{ ping }", "variables": {"a": ' + b"[" * levels + b"]" * levels + b"}}"


@pytest.mark.parametrize("levels", [33, 1_000, 100_000])
async def test_deep_json_is_400(edge: Any, levels: int) -> None:
    response = await edge.post(content=deep(levels))
    assert response.status_code == 400
    assert "nests at most 32" in response.json()["errors"][0]["message"]


async def test_json_as_deep_as_allowed_is_read(edge: Any) -> None:
    # The body itself and its variables are two of the levels.
    assert (await edge.post(content=deep(NESTING_MAX - 2))).status_code == 200
    assert (await edge.post(content=deep(NESTING_MAX - 1))).status_code == 400


async def test_brackets_in_strings_are_text(edge: Any) -> None:
    text = '[{"\\"' * 100
    answer = await edge.ask(
        "query ($n: String!) { member(name: $n) { name } }", variables={"n": text}
    )
    assert answer["data"]["member"]["name"] == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('[]{}"\\,: aä'),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text('[]{}"\\'), inner, max_size=4)
    ),
)


def depth(value: Any) -> int:
    if not isinstance(value, list | dict):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(depth, inner), default=0)


@given(JSON, st.integers(0, 8))
def test_nesting_is_told_from_brackets(value: Any, levels: int) -> None:
    assert nests_deeper(orjson.dumps(value), levels) == (depth(value) > levels)


@pytest.mark.parametrize(
    ("raw", "deep"),
    [(b'"' + b"\\" * 2_000_000, False), (b"[" * 2_000_000, True), (b'["' * 1_000_000, True)],
)
def test_a_hostile_body_is_told_for_what_it_is(raw: bytes, deep: bool) -> None:
    assert nests_deeper(raw, NESTING_MAX) is deep


async def test_a_compressed_body_is_refused(edge: Any) -> None:
    content = gzip.compress(b'{"query": "{ ping }"}')
    response = await edge.post(content=content, headers={"content-encoding": "gzip"})
    assert response.status_code == 415


def purchase(padding: int) -> dict[str, Any]:
    return {"query": SINGLE + " " * padding, "variables": {"i": {"externalId": "1", "lines": []}}}


async def test_a_normal_body_has_256_kilobytes(edge: Any) -> None:
    # Padding outside of the document, which has a smaller limit of its own.
    small = orjson.dumps(purchase(0))
    exactly = small + b" " * (256 * 1024 - len(small))
    assert (await edge.post(content=exactly)).status_code == 200
    assert edge.ran == ["1"]
    response = await edge.post(content=exactly + b" ")
    assert response.status_code == 413
    assert edge.ran == ["1"]


async def test_a_batch_has_two_megabytes(edge: Any) -> None:
    items = [{"externalId": str(n), "note": "x" * 3_000} for n in range(500)]
    response = await edge.post(BATCH, variables={"i": {"items": items}})
    assert response.json() == {"data": {"recordAll": 500}}
    items = [{"externalId": str(n), "note": "x" * 4_200} for n in range(500)]
    assert (await edge.post(BATCH, variables={"i": {"items": items}})).status_code == 413


async def test_a_stranger_cannot_send_a_batch_sized_body(edge: Any) -> None:
    response = await edge.post(BATCH + " " * 300_000, variables={}, caller=None)
    assert response.status_code == 413


async def test_a_body_in_chunks_is_cut_off_at_the_cap(edge: Any) -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        while True:
            read += 65_536
            yield b" " * 65_536

    response = await edge.post(content=endless())
    assert response.status_code == 413
    assert read <= 3 * 1024 * 1024


@pytest.mark.parametrize("declared", ["99999999999", "9" * 30])
async def test_a_declared_length_is_believed_before_reading(edge: Any, declared: str) -> None:
    async def never() -> Any:
        raise AssertionError("was read")
        yield b""

    response = await edge.post(content=never(), headers={"content-length": declared})
    assert response.status_code == 413


@pytest.mark.parametrize("text", ["a\\u0000b", "\\u0000", "x\\\\\\u0000"])
async def test_nul_characters_are_400(edge: Any, text: str) -> None:
    body = (
        '{"query": "query ($n: String!) { member(name: $n) { name } }", "variables": {"n": "%s"}}'
    )
    response = await edge.post(content=(body % text).encode())
    assert response.status_code == 400
    assert edge.ran == []


async def test_an_escaped_backslash_before_u0000_is_no_nul(edge: Any) -> None:
    body = (
        '{"query": "query ($n: String!) { member(name: $n) { name } }", "variables": {"n": "%s"}}'
    )
    response = await edge.post(content=(body % "\\\\u0000").encode())
    assert response.json()["data"]["member"]["name"] == "\\u0000"


@pytest.mark.parametrize("text", [b"\\ud800", b"\\udc00x", b"\xed\xa0\x80"])
async def test_lone_surrogates_are_400(edge: Any, text: bytes) -> None:
    body = (
        b'{"query": "query ($n: String!) { member(name: $n) { name } }", "variables": {"n": "%s"}}'
    )
    assert (await edge.post(content=body % text)).status_code == 400
