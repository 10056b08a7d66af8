"""Each invariant of partnerships is broken once, and found; those between tenants too."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from loyalty.audit import audit
from loyalty_app.logins import Addresses
from loyalty_partners.invariants import INVARIANTS, NETS
from loyalty_partners.plugin import plugin as partners
from tests.plugins.partners.conftest import Alliance

IN = "where tenant_id = '{tenant}'"
MOVED = "update loyalty.partners_movement set {change} where tenant_id = '{tenant}'"
FAULTS = {
    "points in a clearing account": MOVED.format(
        change="points_out = points_out + 1", tenant="{tenant}"
    ),
    "whatever moved with a partner": f"delete from loyalty.partners_movement {IN}",
    "a line of points names its fact": MOVED.format(
        change="fact_id = gen_random_uuid()", tenant="{tenant}"
    ),
    "no more of a line is taken back": MOVED.format(
        change="kind = 'REVERSAL', of_id = id, points_out = -points_out", tenant="{tenant}"
    ),
    "a fund holds what was bought": (
        "insert into loyalty.partners_fund select tenant_id, id, 5"
        f" from loyalty.partners_agreement {IN}"
    ),
    "an exchange with a partner elsewhere": (
        "insert into loyalty.partners_leg (tenant_id, id, agreement_id, peer_id, outgoing, state,"
        " happened_at, changed_at) select tenant_id, gen_random_uuid(), id, id, true, 'PENDING',"
        f" now(), now() from loyalty.partners_agreement {IN}"
    ),
    "points that are written off": (
        "insert into loyalty.partners_leg (tenant_id, id, agreement_id, peer_id, outgoing, state,"
        " happened_at, changed_at, written_off_at) select tenant_id, id, agreement_id, id, true,"
        " 'WRITTEN_OFF', now(), now(), now() from loyalty.partners_movement"
        f" {IN} and kind = 'EXCHANGE'"
    ),
    "a day that a partner elsewhere": (
        "insert into loyalty.partners_day (tenant_id, agreement_id, day, state, exchanges, amount,"
        " ours, compared_at) select tenant_id, id, '2026-01-01', 'MATCHED', 1, 5, '{{}}', now()"
        f" from loyalty.partners_agreement {IN}"
    ),
    "a statement that is settled": (
        "update loyalty.partners_statement set movements = movements + 1, net = net + 1,"
        f" state = 'SETTLED', settled_at = now() {IN}"
    ),
}
BETWEEN = {
    "payables and receivables": MOVED.format(change="amount = amount - 1", tenant="{tenant}"),
    "each half of a movement": f"delete from loyalty.partners_movement {IN}",
    "points that leave one side": MOVED.format(
        change="partner_points = partner_points + 1", tenant="{tenant}"
    ),
    "both halves of an agreement": (
        f"update loyalty.partners_link set state = 'ENDED', ended_at = now() {IN}"
    ),
}


@pytest.fixture
async def found(alliance: Alliance, dsn: Addresses) -> Any:
    """What the audit's queries find after a fault at the airline, which is taken back again."""
    air, hotel = alliance.air, alliance.hotel
    await air.give("ann", 600)
    await alliance.exchange(air, "ann", "300")
    air.brand.clock.at = datetime(2026, 2, 2, tzinfo=UTC)
    await air.done("proposeStatement", agreement=alliance.agreement, period="2026-01")
    connection = await asyncpg.connect(dsn.admin)
    tenants = [shop.brand.tenant_id for shop in (air, hotel)]

    async def find(fault: str) -> set[str]:
        await connection.execute(f"begin; set local app.tenant = '{tenants[0]}'")
        if fault:
            await connection.execute(fault.format(tenant=tenants[0]))
        await connection.execute("set local role loyalty_audit")
        names = {name for name, query in INVARIANTS.items() if await connection.fetch(query)}
        sums: dict[tuple[str, str], Any] = {}
        for tenant in tenants:
            await connection.execute(f"set local app.tenant = '{tenant}'")
            for name, query in NETS.items():
                for row in await connection.fetch(query):
                    key = name, row["what"]
                    sums[key] = sums.get(key, 0) + row["amount"]
        await connection.execute("rollback")
        return names | {name for (name, _), off in sums.items() if off}

    yield find
    await connection.close()


@pytest.mark.parametrize("invariant", [*FAULTS, *BETWEEN])
async def test_a_fault_is_found(found: Callable[[str], Any], invariant: str) -> None:
    names = await found({**FAULTS, **BETWEEN}[invariant])
    assert any(name.startswith(invariant) for name in names), names


async def test_a_sound_story_has_no_findings(found: Callable[[str], Any]) -> None:
    assert await found("") == set()


def test_every_invariant_is_broken_once() -> None:
    for broken, names in ((FAULTS, INVARIANTS), (BETWEEN, NETS)):
        named = [next(name for name in names if name.startswith(short)) for short in broken]
        assert sorted(named) == sorted(names)


async def test_the_workers_audit_of_one_tenant_looks_at_its_partners(
    alliance: Alliance, dsn: Addresses
) -> None:
    """What stands wrong at the hotel is found where the airline's turn has come."""
    await alliance.air.give("ann", 600)
    await alliance.exchange(alliance.air, "ann", "300")
    air, hotel = (shop.brand.tenant_id for shop in (alliance.air, alliance.hotel))
    connection = await asyncpg.connect(dsn.admin)
    spoil = "update loyalty.partners_movement set amount = amount + $2 where tenant_id = $1"
    try:
        assert await audit(dsn.audit, [air], [partners]) == []
        await connection.execute(spoil, hotel, 1)
        (found,) = await audit(dsn.audit, [air], [partners])
    finally:
        await connection.execute(spoil, hotel, -1)
        await connection.close()
    assert found.invariant == "payables and receivables of all tenants net to nothing"
    assert found.row["off"] == 1
