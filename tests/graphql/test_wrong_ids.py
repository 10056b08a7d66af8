"""The id of one thing where another is asked for: nothing is there, whatever it is the id of."""

from collections.abc import Callable
from typing import Any

import pytest

from loyalty.ids import new_id
from loyalty_graphql.ids import node_id
from tests.graphql.furnished import Furnished, furnished, kind_of
from tests.graphql.operations import Operation, operations

ANY = {"Member", "Purchase", "Redemption", "Program"}
GARBAGE = ("", "x", "%%%", "TWVtYmVyOg", "TWVtYmVyOm5vLXV1aWQ", "ünï", "A" * 4000)


@pytest.fixture
async def ours(make_brand: Callable[..., Any]) -> Furnished:
    return await furnished(make_brand, "ours0000")


async def test_an_id_of_another_type_is_nothing(ours: Furnished, rows: Any) -> None:
    before, tried = await rows.of(ours.brand.tenant_id), 0
    for operation, path in _places(ours):
        for ident in ours.ids:
            if kind_of(ident) in _taken(operation, path):
                continue
            ghost = node_id(kind_of(ident), new_id())
            given = await _answer(ours, operation, path, ident)
            assert given == await _answer(ours, operation, path, ghost), (operation.name, path)
            tried += 1
    assert tried > 50
    assert await rows.of(ours.brand.tenant_id) == before


async def test_what_is_no_id_at_all_is_nothing_either(ours: Furnished, rows: Any) -> None:
    before = await rows.of(ours.brand.tenant_id)
    for operation, path in _places(ours):
        ghost = node_id("Nothing", new_id())
        expected = await _answer(ours, operation, path, ghost)
        for garbage in GARBAGE:
            assert await _answer(ours, operation, path, garbage) == expected, (path, garbage)
    assert await rows.of(ours.brand.tenant_id) == before


def _places(ours: Furnished) -> list[tuple[Operation, str]]:
    return [
        (operation, path)
        for operation in operations(ours.brand.server.services.schema.core)
        for path, kind in operation.leaves()
        if kind == "ID" and operation.kind != "subscription"
    ]


def _taken(operation: Operation, path: str) -> set[str]:
    """Which types are right there."""
    if operation.name == "node":
        return ANY
    if path.endswith("redemption") or operation.name == "redemption":
        return {"Redemption"}
    if path.startswith("by.") or ".member." in path:
        return {"Member"}
    if path == "endpointId" or operation.name.endswith(("WebhookEndpoint", "WebhookSecret")):
        return {"WebhookEndpoint"}
    if operation.name == "recordPayout":
        return {"Payout"}
    if operation.name == "replayWebhookDeliveries":
        return {"WebhookDelivery"}
    return {"ApiKey"} if operation.name == "revokeApiKey" else {"Program"}


async def _answer(ours: Furnished, operation: Operation, path: str, value: str) -> Any:
    def fill(at: str, kind: str) -> Any:
        right = {"currency": "USD", "unit": "ours0000", "program": "ours0000"}
        right |= {"idempotencyKey": new_id().hex, "reasonCode": "GOODWILL"}
        return value if at == path else right.get(at.rsplit(".")[-1])

    document, variables = operation.request(fill, deep=True)
    return (await ours.brand.admin.post(document, variables)).json()
