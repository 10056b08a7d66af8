"""Metrics, logs and traces of real processes, and what must be in none of them."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.app.watching.conftest import Watched

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PATIENCE = 30.0
PURCHASE = """mutation Till($input: RecordPurchaseInput!) {
  recordPurchase(input: $input) { purchase { id } userErrors { code message } } }"""
CANARY = "canary.member@example.com"


async def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not true() and time.monotonic() < ends:
        await asyncio.sleep(0.1)
    assert true()


async def ask(watched: Watched, body: Any, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=30.0) as http:
        return await http.post(
            f"{watched.api.url}/graphql", json=body,
            headers={"authorization": f"Bearer {watched.brand.api_key}", **headers},
        )  # fmt: skip


async def buy(watched: Watched, external_id: str, **headers: str) -> None:
    given = {
        "member": {"externalId": watched.brand.members[0]},
        "source": "till",
        "externalId": external_id,
        "occurredAt": datetime.now(UTC).isoformat(),
        "currency": "USD",
        "total": "12.60",
        "attributes": {"email": CANARY},
    }
    answer = await ask(watched, {"query": PURCHASE, "variables": {"input": given}}, **headers)
    assert answer.json()["data"]["recordPurchase"]["purchase"], answer.text


async def metrics(url: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    async with httpx.AsyncClient(trust_env=False, timeout=30.0) as http:
        text = (await http.get(url)).text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Any, name: str, **labels: str) -> float:
    return float(found[name, tuple(sorted(labels.items()))])


async def test_operations_are_counted_by_name_and_outcome(watched: Watched) -> None:
    await buy(watched, "counted")
    await ask(watched, {"query": "query Unfit { nothingOfTheKind }"})
    await ask(watched, {"query": "{ __typename }"})
    found = await metrics(watched.api_metrics)

    assert value(found, "loyalty_operations_total", operation="Till", outcome="OK") == 1
    assert value(found, "loyalty_operations_total", operation="unnamed", outcome="OK") == 1
    assert value(found, "loyalty_operation_seconds_count", kind="mutation") == 1
    assert value(found, "loyalty_batch_requests_count") == 1
    assert value(found, "loyalty_batch_requests_sum") == 1
    assert value(found, "loyalty_append_seconds_count") == 1
    assert value(found, "loyalty_lane_waiting_requests") == 0
    assert value(found, "loyalty_pool_used_connections") == 0
    assert value(found, "loyalty_pool_wait_seconds_count") > 0
    assert not any(labels for name, labels in found if "tenant" in dict(labels))


async def test_names_of_strangers_are_not_kept(watched: Watched) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        for n in range(3):
            query = {"query": f"query Stranger{n} {{ __typename }}"}
            await http.post(f"{watched.api.url}/graphql", json=query)
    found = await metrics(watched.api_metrics)

    names = {dict(labels).get("operation") for name, labels in found if "operations" in name}
    assert "other" in names
    assert not any(name and name.startswith("Stranger") for name in names)


async def test_reads_of_the_cache_are_counted(watched: Watched) -> None:
    query = """query Shown($by: MemberRef!) { member(by: $by) { balance(unit: "points") {
      available } } }"""
    body = {"query": query, "variables": {"by": {"externalId": watched.brand.members[1]}}}
    for _ in range(2):
        await ask(watched, body)
    found = await metrics(watched.api_metrics)

    assert value(found, "loyalty_cache_reads_total", answer="misses") > 0
    assert value(found, "loyalty_cache_reads_total", answer="hits") > 0


async def test_the_worker_tells_its_backlog_and_audits(watched: Watched) -> None:
    found: Any = {}
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        found = await metrics(watched.worker_metrics)
        if value(found, "loyalty_ledger_audits_total") and len(_queues(found)) == 5:
            break
        await asyncio.sleep(0.2)
    assert value(found, "loyalty_ledger_audits_total") == 1
    assert value(found, "loyalty_ledger_audit_findings") == 0
    assert value(found, "loyalty_ledger_audit_age_seconds") < PATIENCE + 15
    assert _queues(found) == {"outbox", "jobs", "follow_ons", "lots", "holds"}


def _queues(found: Any) -> set[str]:
    return {dict(labels)["queue"] for name, labels in found if name == "loyalty_backlog_seconds"}


async def test_a_trace_goes_from_the_caller_to_the_worker(watched: Watched) -> None:
    await buy(watched, "traced", traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")
    wanted = {
        ("loyalty-api", "mutation Till"),
        ("loyalty-api", "record"),
        ("loyalty-worker", "tell"),
    }
    await until(
        lambda: wanted <= {(who, span.name) for who, span in watched.collector.of_trace(TRACE)}
    )
    spans = {span.name: span for _, span in watched.collector.of_trace(TRACE)}
    assert spans["mutation Till"].parent_span_id.hex() == "00f067aa0ba902b7"
    assert spans["record"].parent_span_id == spans["mutation Till"].span_id
    assert spans["tell"].parent_span_id == spans["record"].span_id
    statements = [
        span for name, span in watched.collector.of_trace(TRACE)
        if span.parent_span_id == spans["record"].span_id and span.name != "tell"
    ]  # fmt: skip
    assert len(statements) >= 3  # begin, open_batch, append


async def test_every_line_of_the_log_is_json_with_the_request(watched: Watched) -> None:
    await ask(watched, {"query": "{ __typename }"}, **{"x-request-id": "request-in-the-log"})
    lines = [json.loads(line) for line in watched.api.said().splitlines()]

    assert lines
    assert all({"timestamp", "level", "logger", "message"} <= set(line) for line in lines)


async def test_nobody_and_no_secret_is_in_what_is_watched(watched: Watched) -> None:
    await buy(watched, "canary")
    await asyncio.sleep(0.5)
    async with httpx.AsyncClient(trust_env=False) as http:
        told = [(await http.get(url)).text for url in (watched.api_metrics, watched.worker_metrics)]
    told += [watched.api.said(), watched.worker.said()]
    told += [str(span) for _, span in watched.collector.spans]

    secrets = [
        CANARY, watched.brand.api_key, watched.settings.operator_secret,
        *watched.brand.members,
    ]  # fmt: skip
    for secret in secrets:
        assert secret is not None
        assert not any(secret in text for text in told), secret


@pytest.mark.parametrize("path", ["/metrics", "/debug"])
async def test_the_api_does_not_answer_them(watched: Watched, path: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(watched.api.url + path)).status_code == 404
