"""The audit finds each fault that it says it looks for: every invariant is broken once."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from loyalty.audit import INVARIANTS, audit
from loyalty_app.logins import Addresses

# For each invariant a change that breaks it; {tenant} is filled in.
FAULTS = {
    "value is conserved": "update loyalty.posting set amount = amount + 1 where kind = 'GRANT'",
    "a stored balance is the sum": "update loyalty.account set balance = balance + 1 where stored",
    "versions of an account run from 1": (
        "update loyalty.posting set to_version = to_version + 90 where kind = 'GRANT'"
    ),
    "terms of an account's lots run": ("update loyalty.account set terms = terms + 1 where stored"),
    "a lot ends when its newest term says": (
        "insert into loyalty.lot_term (tenant_id, account_id, lot_id, fact_id, expires_at,"
        " occurred_at, recorded_at, version) select distinct on (account_id) tenant_id,"
        " account_id, id, fact_id, now(), now(), now(), 1 from loyalty.lot"
    ),
    "a lot begins when its newest term": (
        "insert into loyalty.lot_term (tenant_id, account_id, lot_id, fact_id, expires_at,"
        " occurred_at, recorded_at, version, available_at, previously_available_at)"
        " select distinct on (account_id) tenant_id, account_id, id, fact_id, expires_at, now(),"
        " now(), 1, now(), now() from loyalty.lot"
    ),
    "the balance after the newest posting": (
        "update loyalty.posting set to_balance = to_balance + 1,"
        " from_balance = from_balance + 1 where true"
    ),
    "a balance is what its open lots hold": (
        "update loyalty.lot set remaining = remaining - 1 where remaining > 0"
    ),
    "a lot holds what was granted": "update loyalty.lot set granted = granted + 1",
    "whoever owes holds nothing": (
        "alter table loyalty.account drop constraint account_owes_or_holds;"
        " update loyalty.account set balance = balance + 1, deficit = deficit + 1 where stored"
    ),
    "held value is what open holds reserve": (
        "update loyalty.redemption set state = 'RELEASED' where state = 'HELD'"
    ),
    "no more is taken back of a grant": (
        "update loyalty.decision set body = jsonb_set(body, '{taken,0,2}', '9999')"
        " where body ? 'sale'"
    ),
    "every fact left one outbox row": (
        "delete from loyalty.outbox where topic = 'PurchaseReversed'"
    ),
    "children name a fact": "delete from loyalty.fact where kind = 'Redeem'",
    "every movement says who caused it": "update loyalty.fact set actor = ''",
    "who was erased has no name": (
        "insert into loyalty.erasure (tenant_id, member_id, asked_at, asked_by)"
        " select tenant_id, id, now(), 'x' from loyalty.member where true"
    ),
}


@pytest.fixture
async def broken(world: Any, dsn: Addresses) -> Any:
    """The audit's queries on a story, in a transaction of the superuser that is rolled back."""
    member = await world.member()
    purchase = world.purchase(member, 3_000)
    await world.record(purchase)
    await world.redeem(member, 5)
    await world.redeem(member, 5, capture=False, hold_for=timedelta(days=1))
    world.pass_time(minutes=1)
    await world.record(world.back(purchase))
    await world.record(world.purchase(member, 9_000))
    connection = await asyncpg.connect(dsn.admin)
    await connection.execute(f"begin; set local app.tenant = '{world.tenant_id}'")

    async def found(fault: str) -> set[str]:
        # As the superuser, whom row security does not hold: only this tenant is broken.
        for statement in filter(None, fault.split(";")):
            where = "" if "alter" in statement else f" tenant_id = '{world.tenant_id}'"
            joined = " and" if " where " in statement else " where" if where else ""
            await connection.execute(statement + joined + where)
        await connection.execute("set local role loyalty_audit")
        return {name for name, query in INVARIANTS.items() if await connection.fetch(query)}

    yield found
    await connection.execute("rollback")
    await connection.close()


@pytest.mark.parametrize("invariant", FAULTS)
async def test_a_fault_is_found(broken: Any, invariant: str) -> None:
    found = await broken(FAULTS[invariant])

    assert any(name.startswith(invariant) for name in found)


def test_every_invariant_is_broken_once() -> None:
    named = [next(name for name in INVARIANTS if name.startswith(short)) for short in FAULTS]

    assert sorted(named) == sorted(INVARIANTS)


async def test_a_sound_story_has_no_findings(broken: Any) -> None:
    assert await broken("") == set()


async def test_findings_name_the_tenant_and_the_row(world: Any, dsn: Addresses) -> None:
    member = await world.member()
    await world.give(member, 5)
    connection = await asyncpg.connect(dsn.admin)
    change = "update loyalty.account set balance = balance + $2 where tenant_id = $1 and stored"
    try:
        await connection.execute(change, world.tenant_id, 1)
        found = await audit(dsn.audit, [world.tenant_id])
    finally:
        await connection.execute(change, world.tenant_id, -1)
        await connection.close()

    assert {finding.tenant_id for finding in found} == {world.tenant_id}
    assert any(
        finding.row.get("stored") == 6 and finding.row.get("posted") == 5 for finding in found
    )
