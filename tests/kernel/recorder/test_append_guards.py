"""The append function believes no caller: what does not add up, or is stale, is refused."""

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from loyalty.commands import Redeem
from loyalty.ids import new_id
from loyalty.ledger.rows import Rows
from loyalty.recorder.recorder import APPEND
from loyalty.recorder.wants import More
from loyalty.settlement.settle import settle

MOVED, TAMPERED, FORBIDDEN = "40001", "22000", "42501"
# Columns of a posting row.
AMOUNT, TO_VERSION, TO_BALANCE = 5, 8, 10


async def batch_of(world: Any, connection: Any, fact: Any) -> Any:
    """A batch as the recorder makes it, decided and not yet appended."""
    setup = await world.recorder.setups.get(world.tenant_id)
    request = world.request(fact)
    batch = await world.recorder.open(connection, [request], setup, More())
    settle(batch, request, 0)
    return batch


def changed(rows: list[Any], column: int, value: Callable[[Any], Any]) -> None:
    row = list(rows[0])
    row[column] = value(row[column])
    rows[0] = tuple(row)


async def refused(world: Any, fact: Any, tamper: Callable[[Rows], None]) -> str:
    async def append_tampered() -> None:
        async with world.database.tenant(world.tenant_id) as connection:
            batch = await batch_of(world, connection, fact)
            tamper(batch.book.rows)
            await world.recorder.append(connection, batch)

    before = await world.digest()
    with pytest.raises(asyncpg.PostgresError) as error:
        await append_tampered()
    assert await world.digest() == before
    return str(error.value.sqlstate)


@pytest.mark.parametrize(
    ("tamper", "state"),
    [
        (lambda rows: changed(rows.lots, 6, lambda granted: granted + 1), TAMPERED),
        (lambda rows: rows.lots.clear(), TAMPERED),
        (lambda rows: changed(rows.postings, AMOUNT, lambda amount: amount + 1), TAMPERED),
        (lambda rows: changed(rows.postings, TO_VERSION, lambda version: version + 1), MOVED),
        (lambda rows: changed(rows.postings, TO_BALANCE, lambda balance: balance + 1), MOVED),
        (lambda rows: changed(rows.postings, TO_VERSION, lambda _: None), TAMPERED),
        (lambda rows: changed(rows.postings, 2, lambda _: "gold"), MOVED),
    ],
    ids=["a larger lot", "no lot", "more posted", "a version skipped", "another balance",
         "an account as if it were not stored", "another unit"],
)  # fmt: skip
async def test_a_grant_that_does_not_add_up(
    world: Any, tamper: Callable[[Rows], None], state: str
) -> None:
    member = await world.member()

    assert await refused(world, world.purchase(member, 1_000), tamper) == state


async def test_no_more_leaves_a_lot_than_is_in_it(world: Any) -> None:
    member = await world.member()
    await world.give(member, 10)
    redeem = Redeem(
        member=member, occurred_at=world.clock.now(), program="points", unit="points", amount=10,
        capture=True,
    )  # fmt: skip

    def more(rows: Rows) -> None:
        changed(rows.postings, AMOUNT, lambda amount: amount + 5)
        changed(rows.uses, 4, lambda amount: amount + 5)

    assert await refused(world, redeem, more) == "23514"


async def test_what_was_decided_on_an_older_balance_is_refused(world: Any) -> None:
    member = await world.member()
    await world.give(member, 10)

    async def append_twice() -> None:
        async with world.database.tenant(world.tenant_id) as connection:
            first = await batch_of(world, connection, world.purchase(member, 100))
            second = await batch_of(world, connection, world.purchase(member, 200))
            await world.recorder.append(connection, first)
            await world.recorder.append(connection, second)

    # The version is taken, or was never reached: both are tried again by the recorder.
    with pytest.raises((asyncpg.UniqueViolationError, asyncpg.SerializationError)):
        await append_twice()

    assert (await world.balance(member)).available == 10


async def test_a_batch_of_another_tenant_is_refused(world: Any, make_world: Any) -> None:
    other = await make_world()
    stranger = await other.member()
    async with other.database.tenant(other.tenant_id) as connection:
        theirs = await batch_of(other, connection, other.purchase(stranger, 100))
    before = await other.digest()

    async with world.database.tenant(world.tenant_id) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="not the tenant of this"):
            await world.recorder.append(connection, theirs)
    async with world.database.tenant(world.tenant_id) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="not the tenant of this"):
            await batch_of(other, connection, other.purchase(stranger, 100))

    assert await other.digest() == before


async def test_what_waited_is_settled_once(world: Any) -> None:
    member = await world.member()

    def settle_something(rows: Rows) -> None:
        rows.settled.append((new_id(), "DONE", None))

    assert await refused(world, world.purchase(member, 100), settle_something) == MOVED


@pytest.mark.parametrize("column", [-3, -2, -1], ids=["payload", "answer", "decision"])
@pytest.mark.parametrize("given", [0, 2], ids=["is missing", "is one too many"])
async def test_json_that_does_not_stand_beside_its_fact(
    world: Any, column: int, given: int
) -> None:
    member = await world.member()
    before = await world.digest()

    async def append_tampered() -> None:
        async with world.database.tenant(world.tenant_id) as connection:
            batch = await batch_of(world, connection, world.purchase(member, 100))
            arguments = batch.book.rows.arguments()
            arguments[column] *= given
            await connection.execute(
                APPEND, world.tenant_id, batch.setup.epoch, batch.now, *arguments
            )

    with pytest.raises(asyncpg.NotNullViolationError):
        await append_tampered()

    assert await world.digest() == before
