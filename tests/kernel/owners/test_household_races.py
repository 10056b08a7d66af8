"""Members of a household at the same time, through two processes: nothing lost, nothing stuck."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from loyalty.commands import CaptureRedemption, Redeem, ReleaseRedemption
from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef
from loyalty.purchase import Line, ReturnedLine
from loyalty.recorder.recorder import Recorder
from loyalty.settlement.request import Recorded, Request

from .conftest import Home, house


def redeem(home: Home, member: MemberRef, amount: int, *, capture: bool = True) -> Request:
    hold_for = None if capture else timedelta(minutes=5)
    request: Request = home.world.request(
        Redeem(
            member=member, occurred_at=home.world.clock.now(), program="points", unit="points",
            amount=amount, capture=capture, hold_for=hold_for,
        )
    )  # fmt: skip
    return request


async def at_once(home: Home, batches: Sequence[Sequence[Request]]) -> list[Any]:
    """Each in a transaction of its own, by two processes, as many at once as there is room for."""
    free = asyncio.Semaphore(16)

    async def one(number: int, batch: Sequence[Request]) -> list[Any]:
        recorder = home.world.recorder if number % 2 else home.second
        async with free:
            found: list[Any] = await recorder.record_many(home.world.tenant_id, batch)
            return found

    answers = await asyncio.gather(*(one(n, batch) for n, batch in enumerate(batches)))
    return [outcome for answer in answers for outcome in answer]


async def test_the_first_grants_of_all_members_open_one_account(home: Home) -> None:
    ours = house()
    members = await home.live_in(ours, 8)
    batches = [[home.world.request(home.world.purchase(m, 100))] for m in members * 6]

    answers = await at_once(home, batches)

    assert all(isinstance(answer, Recorded) for answer in answers)
    assert await home.have(ours) == [(48, 0, 0)]
    rows = await home.world.rows(
        "select version from loyalty.account where owner_kind = $1", ours.kind
    )
    assert [row["version"] for row in rows] == [48]
    told = sorted(answer.answer["balances"][0]["version"] for answer in answers)
    assert told == list(range(1, 49))


async def test_what_is_there_is_spent_once(home: Home) -> None:
    ours = house()
    members = await home.live_in(ours, 4)
    await home.world.give(members[0], 100)

    answers = await at_once(home, [[redeem(home, members[n % 4], 10)] for n in range(40)])

    codes = Counter(getattr(answer, "code", None) for answer in answers)
    assert codes == {None: 10, Code.INSUFFICIENT_BALANCE: 30}
    assert await home.have(ours) == [(0, 0, 0)]


class Steadfast(Recorder):
    """Counts what Postgres refused because an account had moved under its batch."""

    lost = 0

    def forget(self, tenant_id: UUID) -> None:
        self.lost += 1
        super().forget(tenant_id)


async def test_what_a_household_has_is_read_under_its_lock(home: Home) -> None:
    world, ours = home.world, house()
    members = await home.live_in(ours, 8)
    await world.give(members[0], 100)
    recorder = Steadfast(world.database, world.plugins, world.recorder.setups, world.clock)
    all_there = asyncio.Barrier(8)

    async def spend(member: MemberRef) -> None:
        async with world.database.tenant(uuid4()):  # so that as many connections are open
            await all_there.wait()
        for _ in range(5):
            await recorder.record_many(world.tenant_id, [redeem(home, member, 1)])

    await asyncio.gather(*(spend(member) for member in members))

    assert await home.have(ours) == [(60, 0, 0)]
    assert recorder.lost == 0


async def test_households_and_members_in_any_order_do_not_wait_in_a_circle(home: Home) -> None:
    rng = random.Random(7)
    houses = [house() for _ in range(3)]
    members = [await home.world.member() for _ in range(2)]
    for one in houses:
        members += await home.live_in(one, 2)

    def batch() -> list[Request]:
        order = rng.sample(members, 5)
        return [home.world.request(home.world.purchase(member, 100)) for member in order]

    answers = await at_once(home, [batch() for _ in range(60)])

    assert all(isinstance(answer, Recorded) for answer in answers)
    have = await home.have(*houses, *members)
    assert sum(available for available, _, _ in have) == 300


async def test_a_wild_mixture_with_moves_leaves_a_clean_ledger(home: Home) -> None:
    rng = random.Random(42)
    houses = [house() for _ in range(2)]
    members = [member for one in houses for member in await home.live_in(one, 3)]
    requests: list[Request] = []
    for _ in range(50):
        bought = home.world.purchase(
            rng.choice(members), 3_000, lines=[Line(id="a", amount=3_000, quantity=3_000)]
        )
        requests.append(home.world.request(bought))
        for _ in range(rng.randint(0, 3)):
            line = ReturnedLine(id="a", quantity=1_000)
            requests.append(home.world.request(home.world.back(bought, line)))
        requests.append(
            redeem(home, rng.choice(members), rng.randint(1, 40), capture=rng.random() < 0.5)
        )
        where = rng.choice([*houses, None])
        moved = home.activity(
            rng.choice(members), "join", household=None if where is None else str(where.id)
        )
        requests.append(home.world.request(moved))
    rng.shuffle(requests)

    answers = await at_once(home, [requests[n : n + 3] for n in range(0, len(requests), 3)])
    held = await home.world.rows("select id from loyalty.redemption where state = 'HELD'")
    ends = [
        [home.world.request(kind(occurred_at=home.world.clock.now(), redemption_id=row["id"]))]
        for row in held
        for kind in (CaptureRedemption, ReleaseRedemption)
    ]
    answers += await at_once(home, ends)

    refused = [answer for answer in answers if not isinstance(answer, Recorded)]
    assert all(isinstance(a, Refused) and a.code is not Code.INTERNAL for a in refused), refused
    assert held
    home.world.pass_time(days=400)
    await home.work()
    have = await home.have(*houses, *members)
    assert {(available, held) for available, held, _ in have} == {(0, 0)}
