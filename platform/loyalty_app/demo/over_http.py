"""The platform as its clients have it: GraphQL over HTTP. Only sweeps are a worker's."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar
from uuid import UUID

import httpx
import orjson

from loyalty.recorder.recorder import Recorder
from loyalty_app.demo import documents
from loyalty_app.demo.api import Answer, Redeemed
from loyalty_app.demo.baskets import Basket
from loyalty_app.demo.redemptions import POINTS, Redemption
from loyalty_app.demo.shared_clock import SharedClock
from loyalty_app.demo.stand import PROGRAM, UNIT
from loyalty_app.demo.sweeping import expired, sweep
from loyalty_app.demo.timeline import YEAR_START
from loyalty_app.problem import Problem

AT_ONCE = 8  # single mutations in flight: they share the tenant's lane
T = TypeVar("T")


class OverHttp:
    """An `Api` over a client that has base URL and credential, of the API that shares `clock`.

    `worker` records on the worker's login, by the same clock.
    """

    def __init__(
        self, http: httpx.AsyncClient, clock: SharedClock, worker: Recorder, tenant_id: UUID
    ) -> None:
        self._http = http
        self._clock = clock
        self._worker = worker
        self._tenant_id = tenant_id

    def set_time(self, at: datetime) -> None:
        self._clock.set(at)

    async def enroll(self, households: Sequence[str]) -> None:
        await _several(self._enroll, households)

    async def record(self, baskets: Sequence[Basket]) -> list[Answer]:
        data = await self._ask(documents.RECORD, items=[basket.item for basket in baskets])
        return [_answer(outcome) for outcome in data["recordPurchases"]["outcomes"]]

    async def redeem(self, redemptions: Sequence[Redemption]) -> list[Redeemed]:
        """One household's one after the other, different households' side by side."""

        async def one_household(wanted: list[Redemption]) -> list[Redeemed]:
            return [await self._redeem(redemption) for redemption in wanted]

        by_household = sorted(redemptions, key=lambda redemption: redemption.household)
        groups = [list(own) for _, own in groupby(by_household, key=lambda one: one.household)]
        answers = await _several(one_household, groups)
        by_key = {
            redemption.key: answer
            for group, answered in zip(groups, answers, strict=True)
            for redemption, answer in zip(group, answered, strict=True)
        }
        return [by_key[redemption.key] for redemption in redemptions]

    async def sweep(self) -> None:
        await sweep(self._worker, self._tenant_id, self._clock.now())

    async def balances(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        after: str | None = None
        while True:
            page = (await self._ask(documents.BALANCES, after=after))["members"]
            for edge in page["edges"]:
                member = edge["node"]
                found[member["externalId"]] = int(member["balance"]["available"])
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]

    async def expired(self) -> int:
        return await expired(self._worker, self._tenant_id)

    async def _enroll(self, household: str) -> None:
        given = {"externalId": household, "enrolledAt": YEAR_START.isoformat()}
        payload = (await self._ask(documents.ENROLL, input=given))["enrollMember"]
        if payload["userErrors"]:
            raise _unexpected(payload["userErrors"])

    async def _redeem(self, redemption: Redemption) -> Redeemed:
        given = {
            "member": {"externalId": redemption.household},
            "amount": str(POINTS),
            "unit": UNIT,
            "program": PROGRAM,
            "idempotencyKey": redemption.key,
            "capture": True,
        }
        payload = (await self._ask(documents.REDEEM, input=given))["redeemPoints"]
        errors = payload["userErrors"]
        if errors and errors[0]["code"] == "INSUFFICIENT_BALANCE":
            return Redeemed.SKIPPED
        if errors:
            raise _unexpected(errors)
        return Redeemed.REPLAYED if payload["replayed"] else Redeemed.DONE

    async def _ask(self, document: str, **variables: Any) -> dict[str, Any]:
        answer = await self._http.post(
            "/graphql",
            content=orjson.dumps({"query": document, "variables": variables}),
            headers={"content-type": "application/json"},
        )
        body: dict[str, Any] = orjson.loads(answer.content)
        if body.get("errors"):
            raise _unexpected(body["errors"])
        data: dict[str, Any] = body["data"]
        return data


def _answer(outcome: Mapping[str, Any]) -> Answer:
    if errors := outcome["userErrors"]:
        return Answer(0, refusal=f"{errors[0]['code']} ({errors[0]['field']})")
    earned = outcome["purchase"]["earned"]
    return Answer(sum(int(part["amount"]) for part in earned), replayed=outcome["replayed"])


def _unexpected(errors: Any) -> Problem:
    return Problem(
        f"The API refused what a replay asks: {errors[:1]}",
        "Run it again: what was recorded is replayed, the rest goes on from there",
    )


async def _several(
    ask: Callable[[Any], Awaitable[T]], about: Iterable[Any], at_once: int = AT_ONCE
) -> list[T]:
    """Ask about each, several at a time; the answers in order."""
    room = asyncio.Semaphore(at_once)

    async def one(of: Any) -> T:
        async with room:
            return await ask(of)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(of)) for of in about]
    return [task.result() for task in tasks]
