"""Statements: what moved, in the order in which it was recorded, with the balance after it."""

from datetime import timedelta
from typing import Any

from loyalty.journal import kinds
from loyalty.ledger.statement import Entry, statement


async def entries(world: Any, member: Any, *, before: int | None = None, count: int = 50) -> Any:
    async with world.database.tenant(world.tenant_id, read_only=True) as connection:
        return await statement(connection, member.id, "points", before=before, count=count)


async def story(world: Any) -> Any:
    member = await world.member()
    start = world.clock.now()
    purchase = world.purchase(member, 1_000)
    await world.record(purchase)
    world.pass_time(days=3)
    await world.redeem(member, 4)
    await world.record(world.purchase(member, 500, at=start + timedelta(days=1)))
    await world.redeem(member, 8, capture=False, hold_for=timedelta(hours=1))
    world.pass_time(hours=2)
    await world.sweep()
    await world.record(world.back(purchase))
    return member


async def test_entries_say_what_moved_and_what_was_left(world: Any) -> None:
    member = await story(world)

    found = await entries(world, member)
    async with world.database.tenant(world.tenant_id, read_only=True) as connection:
        causes = await kinds(connection, [e.fact_id for e in found])

    assert [(e.kind, e.amount, e.balance_after, causes[e.fact_id]) for e in found] == [
        ("TAKE_BACK", -10, 1, "PurchaseReversed"),
        ("RELEASE", 8, 11, "HoldLapsed"),
        ("HOLD", -8, 3, "Redeem"),
        ("GRANT", 5, 11, "PurchaseRecorded"),
        ("BURN", -4, 6, "Redeem"),
        ("GRANT", 10, 10, "PurchaseRecorded"),
    ]
    assert [e.version for e in found] == [6, 5, 4, 3, 2, 1]
    assert [e.rule for e in found][-1] == "points/base"
    assert [e.label for e in found][-1] == "1 point per dollar"


async def test_only_what_happened_before_the_entry_ahead_of_it_is_late(world: Any) -> None:
    member = await story(world)

    found = await entries(world, member)

    # The lapse is booked at the end of the hold, an hour before the return was.
    assert [e.version for e in found if e.late] == [3]


async def test_pages_join_without_a_gap_and_know_what_is_late(world: Any) -> None:
    member = await story(world)
    whole = await entries(world, member)

    paged: list[Entry] = []
    while page := await entries(
        world, member, before=paged[-1].version if paged else None, count=1
    ):
        paged += page

    assert paged == list(whole)


async def test_a_balance_below_nothing_is_what_is_owed(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 1_000)
    await world.record(purchase)
    await world.redeem(member, 10)
    await world.record(world.back(purchase))

    assert [e.balance_after for e in await entries(world, member)] == [-10, 0, 10]
