"""The verdict on a fault: the audit is empty, and the ledger holds what the journal says.

Every acknowledged call is there once, no refused one is, nothing is that nobody sent; balances are
those that the acknowledged calls add up to; and the first answer is given again.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from loyalty.audit import audit
from loyalty.database import begin
from loyalty_app.installed import installed
from loyalty_app.ledger import POOL
from loyalty_app.settings import Settings
from tests.faults.api import Api
from tests.faults.brand import CLIENT
from tests.faults.caller import SOURCE, balance
from tests.faults.journal import Call, Fate, Journal, Kind
from tests.faults.load import Load

_PURCHASES = "select key, count(*) as n from loyalty.fact where scope = $1 group by key"
_COMMANDS = "select key, count(*) as n from loyalty.command_key where client = $1 group by key"
_BALANCES = """
select m.external_id as member, a.balance - a.deficit as balance
  from loyalty.account a join loyalty.member m on m.id = a.owner_id
 where a.stored and a.kind = 'main' and a.unit = 'points'
"""
_VERSIONS = """
select m.external_id as member, s.version, s.balance
  from (select to_id as id, to_version as version, to_balance as balance from loyalty.posting
        union all select from_id, from_version, from_balance from loyalty.posting) s
  join loyalty.account a on a.id = s.id and a.kind = 'main' and a.unit = 'points' and a.stored
  join loyalty.member m on m.id = a.owner_id
"""
REPLAYED_MAX, REPLAYED_AT_ONCE = 100, 10
TOLD_MAX = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was compared: how many writes were sent, stand in the ledger, and had to be retried."""

    sent: int
    acknowledged: int
    retried: int
    replayed: int

    def __str__(self) -> str:
        return (
            f"{self.sent:,} writes, {self.acknowledged:,} acknowledged, {self.retried:,} sent "
            "again under their key: 0 lost, 0 doubled"
        )


async def judge(settings: Settings, load: Load) -> Verdict:
    """Stop the load, resolve what is unknown, and compare.

    :raises AssertionError: the platform broke a promise
    """
    await load.stop()
    retried = await load.resolve()
    replayed = await _same_answers(load)
    await ledger_matches(settings, load.caller.brand.tenant_id, load.journal)
    newest = await _reads_were_true(settings, load.caller.brand.tenant_id, load.journal)
    await _balances_shown(load, newest)
    done = [call for call in load.journal.writes if call.fate is Fate.DONE]
    return Verdict(
        sent=len(load.journal.writes), acknowledged=len(done), retried=retried, replayed=replayed
    )


async def ledger_matches(settings: Settings, tenant_id: UUID, journal: Journal) -> None:
    """The audit, and the journal against the rows."""
    await audited(settings, tenant_id)
    found = await _rows(settings.need("audit_database_url"), tenant_id)
    done = {kind: Counter(_keys(journal, kind)) for kind in (Kind.PURCHASE, Kind.REDEMPTION)}
    assert found[Kind.PURCHASE] == done[Kind.PURCHASE]
    assert found[Kind.REDEMPTION] == done[Kind.REDEMPTION]
    expected = balances_of(journal)
    assert {name: found["balances"].get(name, 0) for name in expected} == expected


def served(journal: Journal, *, since: float = 0.0, until: float = float("inf")) -> None:
    """Every call was answered; a starved machine may tell one in a hundred to come again."""
    codes = journal.counts(since=since, until=until)
    unsettled = {
        one.code for one in journal.answers(since=since, until=until) if one.fate is Fate.UNKNOWN
    }
    assert unsettled <= {"OVERLOADED"}, codes
    assert codes.get("OVERLOADED", 0) <= TOLD_MAX * codes["OK"], codes


async def audited(settings: Settings, tenant_id: UUID) -> None:
    """Every invariant of the ledger holds for this tenant."""
    assert await audit(settings.need("audit_database_url"), [tenant_id], installed()) == []


async def pool_is_whole(load: Load, api: Api) -> None:
    """Twice as many reads at once as a process has connections: none waits in vain."""
    await load.stop()
    reads = [load.journal.add(balance(name)) for name in load.caller.brand.members]
    for _ in range(2 * POOL // len(reads) + 1):
        answers = await asyncio.gather(*(load.caller.send(read, api.url) for read in reads))
        assert all(answer.fate is Fate.DONE for answer in answers)


async def stored_balances(settings: Settings, tenant_id: UUID) -> dict[str, int]:
    """What the ledger has for each member who ever had something."""
    await audited(settings, tenant_id)
    found = await _rows(settings.need("audit_database_url"), tenant_id)
    balances: dict[str, int] = found["balances"]
    return balances


def balances_of(journal: Journal) -> dict[str, int]:
    """What each member must have: the model."""
    expected: Counter[str] = Counter()
    for call in journal.writes:
        sign = 1 if call.kind is Kind.PURCHASE else -1
        expected[call.member] += sign * call.amount if call.fate is Fate.DONE else 0
    return dict(expected)


def _keys(journal: Journal, kind: Kind) -> list[str]:
    return [c.key for c in journal.writes if c.kind is kind and c.fate is Fate.DONE]


async def _rows(dsn: str, tenant_id: UUID) -> dict[str, Any]:
    connection = await asyncpg.connect(dsn)
    try:
        await begin(connection, tenant_id, read_only=True)
        purchases = await connection.fetch(_PURCHASES, f"purchase:{SOURCE}")
        commands = await connection.fetch(_COMMANDS, f"service:{CLIENT}")
        balances = await connection.fetch(_BALANCES)
        return {
            Kind.PURCHASE: Counter({row["key"]: row["n"] for row in purchases}),
            Kind.REDEMPTION: Counter({row["key"]: row["n"] for row in commands}),
            "balances": {row["member"]: row["balance"] for row in balances},
        }
    finally:
        await connection.close()


async def _same_answers(load: Load) -> int:
    """Acknowledged calls, the newest ones, sent once more: the first answer, word for word."""
    done = [call for call in load.journal.writes if call.fate is Fate.DONE][-REPLAYED_MAX:]
    for start in range(0, len(done), REPLAYED_AT_ONCE):
        part = done[start : start + REPLAYED_AT_ONCE]
        await asyncio.gather(*(_same_answer(load, call) for call in part))
    return len(done)


async def _same_answer(load: Load, call: Call) -> None:
    first = next(answer.payload for answer in call.answers if answer.fate is Fate.DONE)
    again = await load.caller.send(call, load.apis[0].url)
    assert again.payload is not None, (call.key, again)
    assert again.payload["replayed"] is True, call.key
    assert {**again.payload, "replayed": None} == {**first, "replayed": None}, call.key


async def _reads_were_true(settings: Settings, tenant_id: UUID, journal: Journal) -> dict[str, int]:
    """Every balance that was ever shown is one that the ledger had, at the version that it said.

    Answers the newest version of each member's balance.
    """
    connection = await asyncpg.connect(settings.need("audit_database_url"))
    try:
        await begin(connection, tenant_id, read_only=True)
        rows = await connection.fetch(_VERSIONS)
    finally:
        await connection.close()
    had = {(row["member"], str(row["version"])): row["balance"] for row in rows}
    for call in (call for call in journal.calls if call.kind is Kind.BALANCE):
        for shown in (one.payload["balance"] for one in call.answers if one.payload):
            # What was bought a moment after the reader asked is pending at the reader's own now.
            total = int(shown["available"]) + int(shown["pending"])
            assert total == had[call.member, shown["version"]], (call.member, shown)
    return {row["member"]: row["version"] for row in sorted(rows, key=lambda row: row["version"])}


async def _balances_shown(load: Load, newest: dict[str, int]) -> None:
    """The API shows what the ledger holds to whoever says which version they know of."""
    expected = balances_of(load.journal)
    for number, (member, points) in enumerate(expected.items()):
        call: Call = balance(member, str(newest[member]))
        answer = await load.caller.send(call, load.apis[number % len(load.apis)].url)
        assert answer.payload["balance"]["available"] == str(points), (member, answer)
