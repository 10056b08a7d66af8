"""Trusted documents, and what runs compiled behind all that stands before an operation."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from compiled_graphql import Engine, Reason
from loyalty_graphql.compose import ComposedSchema
from loyalty_graphql.documents import Documents
from loyalty_graphql.endpoint import Endpoint
from loyalty_graphql.meters import EXECUTIONS
from loyalty_graphql.trusted import TrustedDocuments, read_manifest

from .client import Edge

WHO = 'query Who($name: String = "Ada") { member(name: $name) { name note } }'
Ask = Callable[..., Any]


@pytest.fixture
def ask(edge: Edge) -> Ask:
    """Sends one request to an endpoint that stays the same, with `WHO` trusted as `who`."""
    wiring = dataclasses.replace(edge.endpoint()._wiring, trusted={"who": WHO})
    endpoint = Endpoint(wiring)

    async def ask(caller: str | None = "admin", **body: Any) -> Any:
        headers = {} if caller is None else {"authorization": f"Bearer {caller}"}
        transport = httpx.ASGITransport(endpoint)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
            return (await client.post("/graphql", json=body, headers=headers)).json()

    return ask


def executed(way: str) -> float:
    return float(EXECUTIONS.labels(way)._value.get())


async def test_an_id_stands_for_its_document(ask: Ask) -> None:
    before = executed("compiled")
    answer = await ask(documentId="who", variables={"name": "Eda"}, operationName="Who")
    assert answer == {"data": {"member": {"name": "Eda", "note": "likes tea"}}}
    assert executed("compiled") == before + 1


async def test_who_sends_an_id_has_no_other_rights(ask: Ask) -> None:
    answer = await ask("service", documentId="who")
    assert [e["extensions"]["code"] for e in answer["errors"]] == ["FORBIDDEN"]
    assert answer["errors"][0]["path"] == ["member", "note"]
    answer = await ask(None, documentId="who")
    assert [e["extensions"]["code"] for e in answer["errors"]] == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"documentId": "other"}, "DOCUMENT_UNKNOWN"),
        ({"documentId": "who", "query": WHO}, "BAD_REQUEST"),
        ({"documentId": ""}, "BAD_REQUEST"),
        ({"documentId": 7}, "BAD_REQUEST"),
        ({"documentId": "who", "operationName": "Other"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"documentId": "who", "variables": {"name": 3}}, "BAD_USER_INPUT"),
    ],
)
async def test_what_else_is_sent_is_told(ask: Ask, body: dict[str, Any], code: str) -> None:
    answer = await ask(**body)
    assert [e["extensions"]["code"] for e in answer["errors"]] == [code]
    assert "data" not in answer


async def test_the_second_time_an_operation_runs_compiled(ask: Ask) -> None:
    text = '{ several(names: ["a", "b"]) { name friend { id } } }'
    ways = executed("first_sight"), executed("compiled")
    first, second = await ask(query=text), await ask(query=text)
    assert first == second
    assert (executed("first_sight"), executed("compiled")) == (ways[0] + 1, ways[1] + 1)


async def test_nothing_is_compiled_for_strangers(ask: Ask) -> None:
    before = executed("not_kept")
    for _ in range(3):
        assert (await ask(None, query="{ ping }")) == {"data": {"ping": "pong"}}
    assert executed("not_kept") == before + 3


@pytest.mark.parametrize(
    "text", ["{ boom }", "{ refuses }", "{ away waits }", '{ member(name: "x") { note } }']
)
async def test_errors_are_told_the_same_either_way(ask: Ask, text: str) -> None:
    first, second = await ask("service", query=text), await ask("service", query=text)
    for each in (*first["errors"], *second["errors"]):
        each["extensions"].pop("requestId", None)
    assert first == second


def test_a_document_that_is_refused_is_named(schema: ComposedSchema) -> None:
    with pytest.raises(ValueError, match=r"document wrong is refused: .*colour"):
        TrustedDocuments({"wrong": "{ colour }"}, Documents(schema), Engine(schema))


def test_of_those_that_are_not_compiled_the_reason_is_known(schema: ComposedSchema) -> None:
    text = "{ __schema { types { name } } }"
    trusted = TrustedDocuments({"types": text, "who": WHO}, Documents(schema), Engine(schema))
    assert trusted.stock == {"types": Reason.INTROSPECTION}


@pytest.mark.parametrize("content", ["[]", '{"a": 1}', "no json", '"text"'])
def test_a_manifest_is_one_object_of_texts(tmp_path: Path, content: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"manifest|unexpected|expected"):
        read_manifest(path)
    path.write_bytes(orjson.dumps({"who": WHO}))
    assert read_manifest(path) == {"who": WHO}
