"""What errors tell, and what they never tell."""

import gc
import logging
from typing import Any

import pytest
from graphql import GraphQLError


async def test_what_nobody_foresaw_is_a_code_and_a_request_id(
    edge: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "loyalty.graphql"):
        response = await edge.post("{ boom }", headers={"x-request-id": "request-17"})
    assert response.json()["errors"] == [
        {
            "message": "something went wrong on our side",
            "extensions": {"code": "INTERNAL", "requestId": "request-17"},
            "locations": [{"line": 1, "column": 3}],
            "path": ["boom"],
        }
    ]
    assert "hunter2" not in response.text
    assert "request-17" in caplog.text
    assert "hunter2" in caplog.text, "the log has the traceback"


async def test_what_was_foreseen_keeps_its_code_and_field(edge: Any) -> None:
    (error,) = (await edge.ask("{ refuses }"))["errors"]
    assert error["message"] == "there is none"
    assert error["extensions"] == {"code": "NOT_FOUND", "field": "name", "details": {"near": "Eda"}}


@pytest.mark.parametrize(
    "query",
    [
        "{ membr { name } }",
        "{ member(nme: 1) { name } }",
        "{ member { nam } }",
        'mutation { record(input: {externalID: "1", lines: []}) { total } }',
        'mutation { record(input: {externalId: "1", lines: [], channel: SHOPP}) { total } }',
        "query ($i: PurchaseInpt!) { ping }",
        "{ ... on Persn { name } }",
        "fragment F on Qury { ping } { ...F }",
        "{ ping @skp(if: true) }",
    ],
)
async def test_nothing_is_suggested(edge: Any, query: str) -> None:
    response = await edge.post(query)
    assert response.json()["errors"]
    assert "Did you mean" not in response.text


@pytest.mark.parametrize(
    "value",
    [
        {"externalId": "1", "lines": [], "chanel": "WEB"},
        {"externalId": "1", "lines": [], "channel": "WE"},
    ],
)
async def test_nothing_is_suggested_for_variables(edge: Any, value: Any) -> None:
    query = "mutation ($i: PurchaseInput!) { record(input: $i) { total } }"
    response = await edge.post(query, variables={"i": value})
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "Did you mean" not in response.text
    assert edge.ran == []


async def test_an_argument_found_wrong_while_running_is_the_callers(edge: Any) -> None:
    query = "query ($n: String) { member(name: $n) { name } }"
    (error,) = (await edge.ask(query, variables={"n": None}))["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_an_endpoint_that_breaks_is_500_with_a_request_id(edge: Any) -> None:
    edge.contexts = None  # so that no context can be made
    response = await edge.post("{ ping }")
    assert response.status_code == 500
    assert set(response.json()["errors"][0]["extensions"]) == {"code", "requestId"}


async def test_introspection_can_be_switched_off(edge: Any) -> None:
    edge.introspection = False
    for query in ("{ __schema { types { name } } }", '{ __type(name: "Query") { name } }'):
        (error,) = (await edge.ask(query))["errors"]
        assert error["extensions"]["code"] == "INTROSPECTION_DISABLED"
    nested = "query { ...F } fragment F on Query { ... { __schema { types { name } } } }"
    assert (await edge.ask(nested))["errors"][0]["extensions"]["code"] == "INTROSPECTION_DISABLED"
    assert (await edge.ask("{ __typename }"))["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    "query", ["{ __schema { types { name } } }", '{ __type(name: "A") { name } }']
)
async def test_strangers_are_not_shown_the_schema_at_our_cost(edge: Any, query: str) -> None:
    (error,) = (await edge.ask(query, caller=None))["errors"]
    assert error["extensions"]["code"] == "INTROSPECTION_DISABLED"
    assert "errors" not in await edge.ask(query, caller="member")
    assert await edge.ask("{ __typename }", caller=None) == {"data": {"__typename": "Query"}}


async def test_what_is_wrong_with_variables_is_gone_once_it_is_told(edge: Any) -> None:
    """Its text quotes all that a client sent, and garbage is looked for by counting objects."""
    wrong = {
        "query": "mutation ($input: PurchaseInput!) { record(input: $input) { total } }",
        "variables": {"input": {f"k{n}": n for n in range(50)}},
    }
    await edge.ask(**wrong)
    gc.collect()
    gc.disable()
    try:
        answer = await edge.ask(**wrong)
        left = [each for each in gc.get_objects() if isinstance(each, GraphQLError)]
    finally:
        gc.enable()
    assert len(answer["errors"]) > 1
    assert left == []
