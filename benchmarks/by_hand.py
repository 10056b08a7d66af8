"""The same rows by hand: what somebody would write who needs this one program and nothing else.

The rows hold what ours hold: the purchase with its defaults, the answer, the decision with its
inputs, a posting and a lot for each grant, what is counted; `alike` looks that they do.

One statement locks and reads, one writes everything. No rules, no replays, no row security, no
refusals.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from benchmarks import by_hand_sql, grants
from benchmarks.stand import ZONE, Brand
from loyalty.ids import account_id, new_id

COUNTER = "given.program.points:member:year"
YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Program:
    """What is to be written: one grant a purchase, or several, and what a member was given."""

    lock: str
    write: str
    give: grants.Give
    counts: bool


PROGRAMS: Mapping[int, Program] = {
    1: Program(by_hand_sql.LOCK, by_hand_sql.WRITE, grants.of_one_rule, counts=False),
    20: Program(
        by_hand_sql.LOCK_AND_COUNT, by_hand_sql.WRITE_SEVERAL, grants.of_twenty_rules, counts=True
    ),
}
"""By the number of rules."""


async def record(
    connection: Any, brand: Brand, baskets: Sequence[tuple[int, str, dict[str, Any]]],
    rules: int = 1,
) -> None:  # fmt: skip
    """Record baskets (number of the member, key, purchase as it was sent) in one transaction."""
    program, now = PROGRAMS[rules], datetime.now(UTC)
    members = [brand.members[number % len(brand.members)] for number, _, _ in baskets]
    accounts = {m: account_id(brand.tenant_id, "MEMBER", m, "points", "main") for m in members}
    today, rows = _today(now), _Rows(program, brand.program_id, now)
    since = [f"points/{COUNTER}", today.replace(month=1, day=1)] if program.counts else []
    async with connection.transaction():
        wanted = list(set(accounts.values()))
        found = await connection.fetch(program.lock, brand.tenant_id, wanted, *since)
        holds = {ident: has for ident, *has in found}
        for member, (_, key, sent) in zip(members, baskets, strict=True):
            account = accounts[member]
            rows.add(member, account, holds[account], key, sent)
        issued = account_id(brand.tenant_id, "PROGRAM", brand.program_id, "points", "issued")
        counted = [f"points/{COUNTER}", today] if program.counts else []
        await connection.execute(
            program.write, brand.tenant_id, now, issued, brand.program_id, now + YEAR,
            *rows.columns(), *counted,
        )  # fmt: skip


def _today(now: datetime) -> datetime:
    return now.astimezone(ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)


class _Rows:
    """The rows of a batch: of its purchases, and of what they were granted."""

    def __init__(self, program: Program, program_id: UUID, now: datetime) -> None:
        self._program, self._program_id = program, str(program_id)
        self._at, self._ends = now.isoformat(), (now + YEAR).isoformat()
        self._purchases: list[tuple[Any, ...]] = []
        self._grants: list[tuple[Any, ...]] = []

    def columns(self) -> list[list[Any]]:
        purchases, granted = _turned(self._purchases), _turned(self._grants)
        return purchases + granted if self._program.counts else purchases[:7] + granted[:5]

    def add(
        self, member: UUID, account: UUID, has: list[int], key: str, sent: dict[str, Any]
    ) -> None:
        """`has` is the balance, the version and what was counted; it goes on."""
        kept, fact_id, owner = _stored(sent), new_id(), str(member)
        body: dict[str, Any] = {"grants": (given := [])}
        if self._program.counts:
            body["read"] = {"points": _read(has[2])}
        earned, total = [], 0
        for grant in self._program.give(sent, kept):
            lot_id, amount, rule = new_id(), grant["granted"], f"points/{grant['rule']}"
            has[0] += amount
            has[1] += 1
            total += amount
            label = grant["label"]
            earned.append(
                {"unit": "points", "amount": amount, "availableAt": self._at,
                 "expiresAt": self._ends, "label": label, "rule": rule}
            )  # fmt: skip
            given.append(
                {**grant, "programId": self._program_id, "lot": str(lot_id), "owner": owner}
            )
            self._grants.append(
                (account, amount, has[1], has[0], lot_id, fact_id, len(given), rule, label,
                 grant["class"])
            )  # fmt: skip
        if self._program.counts:
            has[2] += total
        balance = {"memberId": owner, "unit": "points", "version": has[1]}
        answer = {"state": "APPLIED", "earned": earned, "balances": [balance]}
        texts = [orjson.dumps(one).decode() for one in (kept, answer, body)]
        self._purchases.append((fact_id, key, member, *texts, new_id(), total))


def _read(counted: int) -> dict[str, Any]:
    return {"traits": {"points.tier": None}, "version": 1, "counters": {COUNTER: counted}}


def _turned(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _stored(purchase: dict[str, Any]) -> dict[str, Any]:
    """A purchase as it is kept: amounts in cents, and what was not said filled in."""
    total = _cents(purchase["total"])
    return {
        "occurred_at": purchase["occurredAt"],
        "source": purchase["source"],
        "external_id": purchase["externalId"],
        "revision": 1,
        "currency": purchase["currency"],
        "total": total,
        "tax_included": True,
        "lines": [
            {
                "id": line["id"],
                "amount": _cents(line["amount"]),
                "discount": _cents(line["discount"]),
                "tax": 0,
                "quantity": 1000 * int(line["quantity"]),
                "sku": line["sku"],
                "category": line["category"],
                "brand": line["brand"],
                "kind": "PRODUCT",
                "attributes": {},
            }
            for line in purchase["lines"]
        ],
        "tenders": [{"kind": "OTHER", "amount": total, "name": None, "redemption_id": None}],
        "attributes": {},
    }


def _cents(text: str) -> int:
    return int(text.replace(".", ""))
