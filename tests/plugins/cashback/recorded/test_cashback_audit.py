"""The audit finds each fault that the plugin says it looks for: every invariant is broken once."""

from collections.abc import Mapping

import asyncpg
import pytest

from loyalty_app.logins import Addresses
from loyalty_cashback.payout import State
from loyalty_cashback.plugin import plugin
from tests.plugins.cashback.recorded.conftest import MakeBank

# For each invariant what breaks it.
FAULTS = {
    "a payout is what its fact took of the member's lots": (
        "update loyalty.cashback_payout set amount = amount + 1",
        "update loyalty.lot_use set amount = amount + 1 where kind = 'BURN'",
    ),
    "a payout that came back gave the money back, and no other did": (
        "update loyalty.cashback_payout set state = 'RETURNED' where state = 'PAID'",
        "update loyalty.cashback_payout set state = 'PAID' where state = 'FAILED'",
        "update loyalty.redemption set state = 'CAPTURED' where state = 'REVERSED'",
    ),
    "what a program paid out is the sum of its payouts that did not come back": (
        "update loyalty.posting set amount = amount + 1 where kind = 'BURN'",
        "delete from loyalty.cashback_payout where state = 'PAID'",
    ),
}


@pytest.mark.parametrize(
    ("invariant", "fault"), [(name, fault) for name in FAULTS for fault in FAULTS[name]]
)
async def test_a_fault_is_found(bank: MakeBank, dsn: Addresses, invariant: str, fault: str) -> None:
    shop = await bank("2026-03-02T12:00", payout={"on_request": {}})
    ada = await shop.world.member()
    await shop.buys(ada, "600.00")
    paid, failed = await shop.requests(ada, 900), await shop.requests(ada, 700)
    await shop.requests(ada, 500)
    await shop.becomes(paid, State.PAID)
    await shop.becomes(failed, State.FAILED)
    tenant = shop.world.tenant_id
    connection = await asyncpg.connect(dsn.admin)
    try:
        await connection.execute(f"begin; set local app.tenant = '{tenant}'")
        sound = await _found(connection, plugin.invariants)
        await connection.execute("reset role")
        where = " and" if " where " in fault else " where"
        # As the superuser, whom row security does not hold: only this tenant is broken.
        await connection.execute(f"{fault}{where} tenant_id = '{tenant}'")
        broken = await _found(connection, plugin.invariants)
    finally:
        await connection.execute("rollback")
        await connection.close()

    assert (sound, invariant in broken) == (set(), True)


def test_every_invariant_is_broken_once() -> None:
    assert FAULTS.keys() == plugin.invariants.keys()


async def _found(connection: asyncpg.Connection, invariants: Mapping[str, str]) -> set[str]:
    await connection.execute("set local role loyalty_audit")
    return {name for name, query in invariants.items() if await connection.fetch(query)}
