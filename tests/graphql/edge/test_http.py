"""GraphQL over HTTP by its specification."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
SPEND = 'mutation { redeem(amount: "1") }'
HEADERS = ["accept", "content-type", "content-length", "content-encoding", "x-request-id"]
PAGE = "query ($n: Int!) { members(first: $n) { edges { cursor } } }"


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, JSON),
        ("*/*", JSON),
        (JSON, JSON),
        ("application/*", JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON}", JSON),
        (f"{GRAPHQL}; charset=utf-8", GRAPHQL),
        (f"text/html, {GRAPHQL.upper()}", GRAPHQL),
        (f"{JSON};q=0, */*;q=0.1, {GRAPHQL};q=0.1", GRAPHQL),
    ],
)
async def test_the_media_type_is_negotiated(edge: Any, accept: str | None, answered: str) -> None:
    response = await edge.post("{ ping }", accept=accept)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{answered}; charset=utf-8"
    assert response.json() == {"data": {"ping": "pong"}}


@pytest.mark.parametrize("accept", ["text/html", f"{JSON};q=0", f"{JSON};q=x", "image/*"])
async def test_a_client_that_takes_neither_is_told_so(edge: Any, accept: str) -> None:
    response = await edge.post("{ ping }", accept=accept)
    assert response.status_code == 406
    assert response.headers["accept"] == f"{GRAPHQL}, {JSON}"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=latin-1",
        "",
    ],
)
async def test_only_json_in_utf8_is_taken(edge: Any, content_type: str) -> None:
    response = await edge.post(
        'mutation { redeem(amount: "1") }', headers={"content-type": content_type}
    )
    assert response.status_code == 415
    assert edge.ran == []


@pytest.mark.parametrize("content_type", [JSON, f"{JSON}; charset=UTF-8", JSON.title()])
async def test_utf8_is_assumed_and_understood(edge: Any, content_type: str) -> None:
    response = await edge.post(
        "query ($n: String!) { member(name: $n) { name } }",
        variables={"n": "Ütopia ✓"},
        headers={"content-type": content_type},
    )
    assert response.json() == {"data": {"member": {"name": "Ütopia ✓"}}}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "QUERY"])
async def test_only_post_runs_anything(edge: Any, method: str) -> None:
    async with edge.client() as client:
        response = await client.request(
            method,
            "/graphql?query=mutation{redeem(amount:%221%22)}",
            headers={"authorization": "Bearer service"},
        )
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert edge.ran == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"1",
        b'"{ ping }"',
        b"{}",
        b'{"query": null}',
        b'{"query": 1}',
        b'{"query": ["{ ping }"]}',
        b'{"query": "  "}',
        b'{"query": "{ ping }", "operationName": 1}',
        b'{"query": "{ ping }", "variables": []}',
        b'{"query": "{ ping }", "variables": "{}"}',
        b'{"query": "{ ping }", "variables": 0}',
        b'{"query": "{ ping }", "extensions": []}',
        b'{"query": "{ ping }", "extensions": "x"}',
        b'\xef\xbb\xbf{"query": "{ ping }"}',
        b'{"query": "{ \xff }"}',
        b'[{"query": "{ ping }"}, {"query": "{ ping }"}]',
        b"[]",
    ],
)
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_what_is_no_request_is_400(edge: Any, content: bytes, accept: str) -> None:
    response = await edge.post(content=content, accept=accept)
    assert response.status_code == 400
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert set(response.json()) == {"errors"}


@pytest.mark.parametrize(
    "more",
    [
        {"variables": None, "operationName": None, "extensions": None},
        {"variables": {}, "extensions": {"any": {"thing": 1}}},
        {"operationName": "Only"},
        {"unknown": 1},
    ],
)
async def test_what_may_be_left_out_may_be_null(edge: Any, more: dict[str, Any]) -> None:
    response = await edge.post("query Only { ping }", accept=GRAPHQL, **more)
    assert (response.status_code, response.json()) == (200, {"data": {"ping": "pong"}})


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", None, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", None, "GRAPHQL_VALIDATION_FAILED"),
        (PAGE, {}, "BAD_USER_INPUT"),
        (
            "query ($n: Int!) { members(first: $n) { edges { cursor } } }",
            {"n": "x"},
            "BAD_USER_INPUT",
        ),
        ("{ ping ping2: ping }" + " " * 70_000, None, "LIMIT_EXCEEDED"),
    ],
)
async def test_a_request_error_has_no_data_and_a_status_by_media_type(
    edge: Any, query: str, variables: dict[str, Any] | None, code: str
) -> None:
    for accept, status in ((JSON, 200), (GRAPHQL, 400)):
        response = await edge.post(query, variables=variables, accept=accept)
        assert response.status_code == status
        assert set(response.json()) == {"errors"}
        assert response.json()["errors"][0]["extensions"]["code"] == code


async def test_a_field_that_fails_is_200_with_data(edge: Any) -> None:
    response = await edge.post("{ refuses }", accept=GRAPHQL)
    assert response.status_code == 200
    assert response.json()["data"] is None


@pytest.mark.parametrize(
    ("query", "advice"),
    [
        ("{ waits }", "1"),
        ("{ waits again: waits }", "1"),
        ("{ waits ping }", None),  # something came of it
        ("{ waits refuses }", None),  # not only because there was too much to do
        ("{ ping }", None),
    ],
)
async def test_who_is_refused_for_overload_is_told_when_to_come_again(
    edge: Any, query: str, advice: str | None
) -> None:
    response = await edge.post(query, accept=GRAPHQL)
    assert response.status_code == (503 if advice else 200)
    assert response.headers.get("retry-after") == advice


@pytest.mark.parametrize("name", [None, "", "C"])
async def test_which_operation_is_meant_must_be_clear(edge: Any, name: str | None) -> None:
    response = await edge.post("query A { ping } query B { ping }", operationName=name)
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"


async def test_the_named_operation_runs_alone(edge: Any) -> None:
    document = 'query A { ping } mutation B { redeem(amount: "1") }'
    assert await edge.ask(document, operationName="A") == {"data": {"ping": "pong"}}
    assert edge.ran == []


async def test_a_document_of_fragments_only_is_400(edge: Any) -> None:
    response = await edge.post("fragment F on Query { ping }")
    assert response.json()["errors"][0]["extensions"]["code"] in (
        "OPERATION_RESOLUTION_FAILURE",
        "GRAPHQL_VALIDATION_FAILED",
    )


async def test_a_subscription_is_sent_to_the_socket(edge: Any) -> None:
    response = await edge.post("subscription { ticks(upto: 1) }")
    assert response.status_code == 400
    assert "websocket" in response.json()["errors"][0]["message"]


async def test_bad_credentials_are_401_before_the_body_is_read(edge: Any) -> None:
    response = await edge.post(content=b"{", caller="nobody")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_nothing_is_kept_by_caches_and_nothing_is_sniffed(edge: Any) -> None:
    headers = (await edge.post("{ ping }")).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("given", ["0190a0000000700080000001", "till-7:2026.03.01"])
async def test_a_request_id_is_taken_over(edge: Any, given: str) -> None:
    response = await edge.post("{ ping }", headers={"x-request-id": given})
    assert response.headers["x-request-id"] == given
    assert edge.contexts[0].request_id == given


@pytest.mark.parametrize(
    "given", [None, "short", "x" * 65, "<script>alert()</script>", "a b c d e f"]
)
async def test_a_request_id_that_is_missing_or_odd_is_made(edge: Any, given: str | None) -> None:
    headers = {} if given is None else {"x-request-id": given}
    response = await edge.post("{ ping }", headers=headers)
    assert len(response.headers["x-request-id"]) == 32


async def test_each_operation_has_a_context_of_its_own(edge: Any) -> None:
    await edge.post("{ ping }")
    await edge.post("{ ping }")
    assert edge.contexts[0] is not edge.contexts[1]


async def test_what_takes_too_long_is_cut(edge: Any) -> None:
    edge.numbers = replace(edge.numbers, seconds=0.05)
    response = await edge.post("{ slow }")
    assert response.status_code == 504
    assert response.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(
        ["accept", "content-type", "content-length", "content-encoding", "x-request-id"]
    ),
    st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=30)
    | st.lists(st.sampled_from([*"*/;,=q.'", "json", "application", "charset*"])).map("".join),
)
async def test_no_header_is_a_mistake_of_ours(edge: Any, name: str, value: str) -> None:
    scope = {
        "type": "http",
        "method": "POST",
        "headers": [
            (b"content-type", b"application/json"),
            (name.encode(), value.encode("latin-1")),
        ],
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b'{"query": "{ ping }"}'}

    async def send(message: Any) -> None:
        sent.append(message)

    await edge.endpoint()(scope, receive, send)
    assert sent[0]["status"] in (200, 406, 413, 415)
