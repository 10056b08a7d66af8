"""Two sides of one tenant: a transfer between members, both or none."""

import asyncio
from typing import Any

import pytest

from loyalty.commands import AdjustBalance
from loyalty.errors import Code, Refused
from loyalty.facts import MemberClosed, MemberRef
from loyalty.purchase import ReturnedLine
from loyalty.recorder.pair import Leg, record_pair
from loyalty.recorder.recorder import Recorder
from loyalty.settlement.request import ClientKey, Committed, Request


class Transfers:
    """Anna, who has 100, and Bela, who has nothing."""

    def __init__(self, world: Any, anna: MemberRef, bela: MemberRef) -> None:
        self.world = world
        self.anna, self.bela = anna, bela
        self.told: list[Committed] = []
        self.recorder = Recorder(
            world.database, world.plugins, world.recorder.setups, world.clock,
            committed=self._tell,
        )  # fmt: skip

    async def _tell(self, *committed: Committed) -> None:
        self.told += committed

    def leg(self, member: MemberRef, amount: int, key: str) -> Leg:
        command = AdjustBalance(
            member=member, occurred_at=self.world.clock.now(), unit="points", amount=amount,
            reason_code="TRANSFER",
        )  # fmt: skip
        request = Request(fact=command, actor="x", client_key=ClientKey("transfer", key))
        return Leg(self.world.tenant_id, request)

    async def move(
        self, giver: MemberRef, taker: MemberRef, amount: int, key: str = "k",
        recorder: Recorder | None = None,
    ) -> Any:  # fmt: skip
        gives, gets = self.leg(giver, -amount, f"{key}-out"), self.leg(taker, amount, f"{key}-in")
        return await record_pair(recorder or self.recorder, gives, gets)

    async def have(self) -> tuple[int, int]:
        both = [await self.world.balance(member) for member in (self.anna, self.bela)]
        return both[0].available, both[1].available


@pytest.fixture
async def transfers(world: Any) -> Transfers:
    made = Transfers(world, await world.member(), await world.member())
    await world.give(made.anna, 100)
    return made


@pytest.mark.parametrize("swapped", [False, True])
async def test_both_sides_happen_in_one_transaction_and_are_told_together(
    transfers: Transfers, swapped: bool
) -> None:
    legs = [transfers.leg(transfers.anna, -30, "out"), transfers.leg(transfers.bela, 30, "in")]
    wanted = [transfers.anna.id, transfers.bela.id]

    sides = await record_pair(transfers.recorder, *(legs[::-1] if swapped else legs))

    assert await transfers.have() == (70, 30)
    assert [side.member_id for side in sides] == (wanted[::-1] if swapped else wanted)
    assert [side.replayed for side in sides] == [False, False]
    [told] = transfers.told
    assert {change.version for change in told.changes} == {2, 1}
    rows = await transfers.world.rows(
        "select count(distinct xmin::text) as n from loyalty.fact where kind = 'AdjustBalance'"
        " and payload ->> 'reason_code' = 'TRANSFER'"
    )
    assert rows[0]["n"] == 1


@pytest.mark.parametrize("swapped", [False, True])
async def test_a_refused_side_takes_the_other_back(transfers: Transfers, swapped: bool) -> None:
    before = await transfers.world.digest()
    legs = [
        transfers.leg(transfers.anna, -101, "k-out"),
        transfers.leg(transfers.bela, 101, "k-in"),
    ]

    with pytest.raises(Refused) as refused:
        await record_pair(transfers.recorder, *(legs[::-1] if swapped else legs))

    assert refused.value.code is Code.INSUFFICIENT_BALANCE
    assert await transfers.world.digest() == before
    assert not transfers.told
    await transfers.move(transfers.anna, transfers.bela, 100)  # both keys are still free
    assert await transfers.have() == (0, 100)


async def test_to_somebody_who_left_nothing_goes(transfers: Transfers) -> None:
    now = transfers.world.clock.now()
    await transfers.world.record(MemberClosed(member=transfers.bela, occurred_at=now))
    before = await transfers.world.digest()

    with pytest.raises(Refused) as refused:
        await transfers.move(transfers.anna, transfers.bela, 10)

    assert refused.value.code is Code.MEMBER_CLOSED
    assert await transfers.world.digest() == before


async def test_the_same_transfer_twice_happens_once(transfers: Transfers) -> None:
    first = await transfers.move(transfers.anna, transfers.bela, 30)

    again = await transfers.move(transfers.anna, transfers.bela, 30)

    assert [side.replayed for side in again] == [True, True]
    assert [side.answer for side in again] == [side.answer for side in first]
    assert await transfers.have() == (70, 30)


@pytest.mark.parametrize("side", [0, 1])
async def test_a_key_known_on_one_side_only_is_refused(transfers: Transfers, side: int) -> None:
    known = [transfers.leg(transfers.anna, -30, "k-out"), transfers.leg(transfers.bela, 30, "k-in")]
    await transfers.recorder.record_many(transfers.world.tenant_id, [known[side].request])
    before = await transfers.world.digest()

    with pytest.raises(Refused) as refused:
        await transfers.move(transfers.anna, transfers.bela, 30)

    assert refused.value.code is Code.IDEMPOTENCY_MISMATCH
    assert await transfers.world.digest() == before


async def test_another_amount_under_the_keys_is_refused(transfers: Transfers) -> None:
    await transfers.move(transfers.anna, transfers.bela, 30)

    with pytest.raises(Refused) as refused:
        await transfers.move(transfers.anna, transfers.bela, 31)

    assert refused.value.code is Code.IDEMPOTENCY_MISMATCH
    assert await transfers.have() == (70, 30)


async def test_the_same_member_on_both_sides_is_refused_by_whatever_name(
    transfers: Transfers,
) -> None:
    [row] = await transfers.world.rows(
        "select external_id from loyalty.member where id = $1", transfers.anna.id
    )
    before = await transfers.world.digest()

    for name in (transfers.anna, MemberRef(external_id=row["external_id"])):
        with pytest.raises(Refused, match="the same member") as refused:
            await transfers.move(transfers.anna, name, 10)
        assert (refused.value.code, refused.value.field) == (Code.BAD_USER_INPUT, "member")

    assert await transfers.world.digest() == before


async def test_two_legs_need_a_key_each(transfers: Transfers) -> None:
    legs = [transfers.leg(transfers.anna, -1, "k"), transfers.leg(transfers.bela, 1, "k")]

    with pytest.raises(ValueError, match="a key each"):
        await record_pair(transfers.recorder, *legs)


async def test_a_leg_that_undoes_the_other_is_refused(transfers: Transfers) -> None:
    world = transfers.world
    bought = world.purchase(transfers.anna, 1_000)
    legs = [
        Leg(world.tenant_id, world.request(fact))
        for fact in (bought, world.back(bought, ReturnedLine(id="1", amount=500)))
    ]
    before = await world.digest()

    with pytest.raises(ValueError, match="undoes or replaces"):
        await record_pair(transfers.recorder, *legs)

    assert await world.digest() == before


class Counting(Recorder):
    opened = 0

    async def open(self, *args: Any, **more: Any) -> Any:
        self.opened += 1
        return await super().open(*args, **more)


async def test_where_more_lots_decide_both_sides_are_tried_again(transfers: Transfers) -> None:
    """What the return takes back is spent: the other lots must pay, and were not loaded."""
    world = transfers.world
    bought = world.purchase(transfers.anna, 1_000)
    await world.record(bought)
    await world.redeem(transfers.anna, 10)
    recorder = Counting(world.database, world.plugins, world.recorder.setups, world.clock)
    back = Leg(world.tenant_id, world.request(world.back(bought)))

    await record_pair(recorder, back, transfers.leg(transfers.bela, 10, "in"))

    assert await transfers.have() == (90, 10)
    assert recorder.opened == 2


async def test_a_hundred_transfers_both_ways_at_once(transfers: Transfers, second: Any) -> None:
    await transfers.world.give(transfers.bela, 100)
    pairs = [(transfers.anna, transfers.bela), (transfers.bela, transfers.anna)]
    free = asyncio.Semaphore(16)

    async def one(number: int) -> None:
        giver, taker = pairs[number % 2]
        recorder = second if number % 3 else transfers.recorder
        async with free:
            await transfers.move(giver, taker, 1 + number % 2, f"k-{number}", recorder)

    await asyncio.gather(*(one(number) for number in range(100)))

    assert await transfers.have() == (100 - 50 + 100, 100 + 50 - 100)
    rows = await transfers.world.rows(
        "select count(*) as n from loyalty.fact where payload ->> 'reason_code' = 'TRANSFER'"
    )
    assert rows[0]["n"] == 200
