"""Purchases and returns come several times, in any order, late or early: each counts once."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.faults import report
from tests.faults.brand import Brand
from tests.faults.conftest import SizeOf
from tests.faults.stand import Stand
from tests.faults.verdict import stored_balances

SOURCE = "till"
AT_ONCE = 150
RECORD = """mutation($items: BatchItems!) { recordPurchases(items: $items) { outcomes {
  externalId userErrors { code } } } }"""
RETURN = """mutation($input: ReversePurchaseInput!) { reversePurchase(input: $input) {
  userErrors { code } purchaseReturn { state } } }"""
_FACTS = """select kind, count(*) as n, count(distinct (scope, key)) as keys from loyalty.fact
             where tenant_id = $1 and kind in ('PurchaseRecorded', 'PurchaseReversed') group by 1"""
_PARKED = "select state, count(*) as n from loyalty.parked_return where tenant_id = $1 group by 1"


@dataclass(slots=True)
class Story:
    """What happened, as the platform is told of it, and what must come of it."""

    purchases: list[dict[str, Any]] = field(default_factory=list)
    returns: list[dict[str, Any]] = field(default_factory=list)
    expected: Counter[str] = field(default_factory=Counter)
    refused: dict[str, str] = field(default_factory=dict)


def story(brand: Brand, count: int, chance: random.Random) -> Story:
    made, now = Story(), datetime.now(UTC)
    for number in range(count):
        at = now - timedelta(seconds=chance.randrange(1, 20 * 86_400))
        late, early = chance.random() < 0.02, chance.random() < 0.02
        if late:
            at = now - timedelta(days=40)
        elif early:
            at = now + timedelta(days=1)
        member, dollars = chance.choice(brand.members), chance.randint(2, 40)
        key = f"order-{number:05d}"
        made.purchases.append(_purchase(key, member, dollars, at))
        if late or early:
            made.refused[key] = "TOO_LATE" if late else "TOO_EARLY"
            continue
        made.expected[member] += dollars
        if chance.random() < 0.2:
            back = chance.randint(1, dollars)
            made.returns.append(_return(key, back, at + timedelta(seconds=1)))
            made.expected[member] -= back
    return made


def _purchase(key: str, member: str, dollars: int, at: datetime) -> dict[str, Any]:
    return {
        "member": {"externalId": member},
        "source": SOURCE,
        "externalId": key,
        "occurredAt": at.isoformat(),
        "currency": "USD",
        "total": f"{dollars}.00",
        "lines": [{"id": "1", "amount": f"{dollars}.00"}],
    }


def _return(key: str, dollars: int, at: datetime) -> dict[str, Any]:
    return {
        "source": SOURCE,
        "returnId": f"back-{key}",
        "purchaseExternalId": key,
        "occurredAt": at.isoformat(),
        "lines": [{"id": "1", "amount": f"{dollars}.00"}],
    }


class Deliverer:
    """Brings purchases in batches and returns one by one, and keeps every code it was answered."""

    def __init__(self, brand: Brand, url: str, http: httpx.AsyncClient) -> None:
        self.codes: dict[str, set[str]] = {}
        self._headers = {"authorization": f"Bearer {brand.api_key}"}
        self._url = f"{url}/graphql"
        self._http = http

    async def bring(self, events: list[dict[str, Any]]) -> None:
        items = [event for event in events if "returnId" not in event]
        returns = [event for event in events if "returnId" in event]
        await asyncio.gather(self._batch(items), *(self._one(given) for given in returns))

    async def _batch(self, items: list[dict[str, Any]]) -> None:
        if not items:
            return
        data = await self._post(RECORD, {"items": items})
        for outcome in data["recordPurchases"]["outcomes"]:
            self._note(outcome["externalId"], outcome["userErrors"])

    async def _one(self, given: dict[str, Any]) -> None:
        data = await self._post(RETURN, {"input": given})
        self._note(given["returnId"], data["reversePurchase"]["userErrors"])

    async def _post(self, query: str, variables: dict[str, Any]) -> Any:
        for _ in range(20):
            answer = await self._http.post(
                self._url, json={"query": query, "variables": variables}, headers=self._headers
            )
            body = answer.json()
            if "errors" not in body:
                return body["data"]
            await asyncio.sleep(0.2)  # too much at once: again, as any event source does
        raise AssertionError(body)

    def _note(self, key: str, errors: list[dict[str, str]]) -> None:
        self.codes.setdefault(key, set()).add(errors[0]["code"] if errors else "OK")


async def test_events_come_often_and_in_any_order(platform: Stand, size: SizeOf) -> None:
    # The program runs for long: late events are judged by what was in force when they happened.
    brand = await platform.brand(at=datetime.now(UTC) - timedelta(days=60))
    deliveries, chance = size("deliveries of events"), random.Random(18)
    told = story(brand, int(deliveries / 3.6), chance)
    stream = [
        event for event in (*told.purchases, *told.returns) for _ in range(chance.randint(1, 5))
    ]
    chance.shuffle(stream)
    apis = await platform.apis()
    async with httpx.AsyncClient(trust_env=False, timeout=60.0) as http:
        sides = [Deliverer(brand, api.url, http) for api in apis]
        parts = [stream[start : start + AT_ONCE] for start in range(0, len(stream), AT_ONCE)]
        for pair in zip(parts[0::2], [*parts[1::2], []], strict=False):
            await asyncio.gather(*(s.bring(p) for s, p in zip(sides, pair, strict=True)))
    parked = await _compare(platform, brand, told, sides)
    report.note(
        report.Row(
            place=80,
            what="purchases and returns come several times and in any order",
            tried=(
                f"{len(stream):,} deliveries of {len(told.purchases) + len(told.returns):,} events "
                "through two processes, each one to five times, shuffled, some late, some early"
            ),
            held="the ledger is what the set of events adds up to; returns wait for their purchase",
            measured=f"{parked} returns came before their purchase; every balance exact",
        )
    )


async def _compare(platform: Stand, brand: Brand, told: Story, sides: list[Deliverer]) -> int:
    balances = await stored_balances(platform.settings, brand.tenant_id)
    assert balances == dict(told.expected)
    answered: dict[str, set[str]] = {}
    for side in sides:
        for key, codes in side.codes.items():
            answered.setdefault(key, set()).update(codes)
    for key, codes in answered.items():
        wanted = {told.refused[key]} if key in told.refused else {"OK"}
        assert codes - {"PARKED"} <= wanted, (key, codes)
    async with platform.admin() as admin:
        facts = {row["kind"]: row for row in await admin.fetch(_FACTS, brand.tenant_id)}
        parked = {row["state"]: row["n"] for row in await admin.fetch(_PARKED, brand.tenant_id)}
    good = len(told.purchases) - len(told.refused)
    assert facts["PurchaseRecorded"]["n"] == good
    assert facts["PurchaseReversed"]["n"] == len(told.returns)
    assert set(parked) <= {"APPLIED"}
    return int(parked.get("APPLIED", 0))
