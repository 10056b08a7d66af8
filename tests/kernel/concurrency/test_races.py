"""Races on real Postgres between two processes' recorders: each with its own pool and lanes."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from loyalty.commands import AdjustBalance, CaptureRedemption, Redeem, ReleaseRedemption
from loyalty.errors import Code, Refused
from loyalty.facts import LotsDue, MemberRef, PurchaseReversed
from loyalty.purchase import Line, ReturnedLine
from loyalty.recorder.lane import Lanes
from loyalty.settlement.request import ClientKey, Recorded, Request


@pytest.fixture
async def lanes(world: Any, second: Any) -> AsyncIterator[tuple[Lanes, Lanes]]:
    """Lanes of two processes."""
    both = (world.lanes, Lanes(second))
    yield both
    for one in both:
        await one.close()


def command(world: Any, key: str, **given: Any) -> Request:
    fact = Redeem(occurred_at=world.clock.now(), program="points", unit="points", **given)
    return Request(fact=fact, actor="test", client_key=ClientKey("till", key))


def give(world: Any, member: MemberRef, amount: int, key: str) -> Request:
    fact = AdjustBalance(
        member=member, occurred_at=world.clock.now(), unit="points", amount=amount,
        reason_code="TEST",
    )  # fmt: skip
    return Request(fact=fact, actor="test", client_key=ClientKey("till", key))


async def outcomes(lanes: Sequence[Lanes], world: Any, requests: Sequence[Request]) -> list[Any]:
    found: list[Any] = await asyncio.gather(
        *(
            lanes[i % len(lanes)].record(world.tenant_id, request)
            for i, request in enumerate(requests)
        ),
        return_exceptions=True,
    )
    return found


async def batches_at_once(
    world: Any, second: Any, batches: Sequence[Sequence[Request]]
) -> list[list[Any]]:
    """Each in a transaction of its own, as many at once as the two pools have connections."""
    free = asyncio.Semaphore(20)

    async def one(number: int, batch: Sequence[Request]) -> list[Any]:
        recorder = world.recorder if number % 2 else second
        async with free:
            found: list[Any] = await recorder.record_many(world.tenant_id, batch)
            return found

    return await asyncio.gather(*(one(number, batch) for number, batch in enumerate(batches)))


async def at_once(world: Any, second: Any, requests: Sequence[Request]) -> list[Any]:
    answers = await batches_at_once(world, second, [[request] for request in requests])
    return [answer[0] for answer in answers]


@pytest.mark.parametrize("kind", ["purchase", "command"])
@pytest.mark.parametrize("way", ["lanes", "transactions"])
async def test_the_same_key_64_times_at_once(
    world: Any, second: Any, lanes: Any, kind: str, way: str
) -> None:
    member = await world.member()
    await world.give(member, 100)
    request = (
        world.request(world.purchase(member, 1_000))
        if kind == "purchase"
        else command(world, "k-1", member=member, amount=10, capture=True)
    )

    if way == "lanes":
        answers = await outcomes(lanes, world, [request] * 64)
    else:
        answers = await at_once(world, second, [request] * 64)

    assert all(isinstance(answer, Recorded) for answer in answers)
    assert Counter(answer.replayed for answer in answers) == {False: 1, True: 63}
    assert len({canonical(answer) for answer in answers}) == 1
    assert (await world.balance(member)).available == (110 if kind == "purchase" else 90)


async def test_one_key_for_two_members_at_once(world: Any, second: Any) -> None:
    members = [await world.member(), await world.member()]
    for member in members:
        await world.give(member, 100)
    requests = [
        command(world, "k-1", member=members[i % 2], amount=10, capture=True) for i in range(64)
    ]
    random.Random(1).shuffle(requests)

    answers = await at_once(world, second, requests)

    codes = Counter(getattr(answer, "code", None) for answer in answers)
    assert codes == {None: 32, Code.IDEMPOTENCY_MISMATCH: 32}
    left = sorted([(await world.balance(member)).available for member in members])
    assert left == [90, 100]


@pytest.mark.parametrize("capture", [True, False], ids=["captured", "held"])
async def test_the_same_balance_200_times_at_once(
    world: Any, lanes: Any, second: Any, capture: bool
) -> None:
    member = await world.member()
    await world.give(member, 100)
    requests = [
        command(world, f"k-{i}", member=member, amount=100, capture=capture) for i in range(200)
    ]

    answers = await outcomes(lanes, world, requests[:160])
    answers += await at_once(world, second, requests[160:])

    codes = Counter(getattr(answer, "code", None) for answer in answers)
    assert codes == {None: 1, Code.INSUFFICIENT_BALANCE: 199}
    balance = await world.balance(member)
    assert (balance.available, balance.held) == (0, 0 if capture else 100)


async def test_2000_credits_to_one_member_by_64_clients(world: Any, lanes: Any) -> None:
    member = await world.member()
    waiting = [give(world, member, 1, f"k-{i}") for i in range(2_000)]

    async def client(number: int) -> None:
        while waiting:
            await lanes[number % 2].record(world.tenant_id, waiting.pop())

    await asyncio.gather(*(client(number) for number in range(64)))

    assert (await world.balance(member)).available == 2_000
    rows = await world.rows("select to_version, to_balance from loyalty.posting order by 1")
    assert [tuple(row) for row in rows] == [(n, n) for n in range(1, 2_001)]


async def test_a_hold_comes_to_one_end(world: Any, second: Any) -> None:
    for _ in range(5):
        member = await world.member()
        await world.give(member, 10)
        held = await world.redeem(member, 10, capture=False)
        now = world.clock.now()
        ends = [
            CaptureRedemption(occurred_at=now, redemption_id=held),
            ReleaseRedemption(occurred_at=now, redemption_id=held),
            CaptureRedemption(occurred_at=now, redemption_id=held, amount=4),
        ]
        requests = [world.request(ends[i % 3]) for i in range(30)]

        answers = await at_once(world, second, requests)

        codes = Counter(getattr(answer, "code", None) for answer in answers)
        assert codes == {None: 1, Code.REDEMPTION_STATE: 29}
        assert (await world.balance(member)).held == 0


async def test_transfers_between_members_do_not_wait_for_each_other_in_a_circle(
    world: Any, second: Any
) -> None:
    members = [await world.member() for _ in range(4)]
    rng = random.Random(7)

    def batch(number: int) -> list[Request]:
        order = rng.sample(members, 4)
        return [give(world, member, 1, f"{number}-{i}") for i, member in enumerate(order)]

    answers = await batches_at_once(world, second, [batch(number) for number in range(60)])

    assert all(isinstance(outcome, Recorded) for answer in answers for outcome in answer)
    assert [(await world.balance(member)).available for member in members] == [60] * 4


async def test_a_wild_mixture_on_both_leaves_a_clean_ledger(
    world: Any, second: Any, lanes: Any
) -> None:
    rng = random.Random(42)
    members = [await world.member() for _ in range(5)]
    purchases = [
        world.purchase(
            rng.choice(members), 3_000, lines=[Line(id="a", amount=3_000, quantity=3_000)]
        )
        for _ in range(60)
    ]
    requests: list[Request] = []
    for number, purchase in enumerate(purchases):
        requests += [world.request(purchase)] * rng.randint(1, 3)
        for _ in range(rng.randint(0, 4)):
            line = ReturnedLine(id="a", quantity=1_000)
            requests.append(world.request(world.back(purchase, line)))
        requests.append(
            command(
                world, f"k-{number % 40}", member=rng.choice(members), amount=rng.randint(1, 60),
                capture=rng.random() < 0.5, hold_for=timedelta(minutes=5),
            )
        )  # fmt: skip
    rng.shuffle(requests)

    first = await outcomes(lanes, world, requests)
    held = await world.rows("select id from loyalty.redemption where state = 'HELD'")
    ends = [
        world.request(kind(occurred_at=world.clock.now(), redemption_id=row["id"]))
        for row in held
        for kind in (CaptureRedemption, ReleaseRedemption)
    ]
    second_half = await at_once(world, second, ends + requests[:60])

    refused = [a for a in first + second_half if isinstance(a, Exception)]
    assert all(isinstance(a, Refused) and a.code is not Code.INTERNAL for a in refused), refused
    world.pass_time(days=400)
    await world.sweep()
    await world.audited()
    for member in members:
        balance = await world.balance(member)
        assert (balance.total, balance.held) == (0, 0)


@pytest.mark.parametrize("ends", [CaptureRedemption, ReleaseRedemption], ids=["spent", "released"])
async def test_at_the_instant_at_which_points_end_they_go_one_way(
    world: Any, second: Any, ends: Any
) -> None:
    """Their end, the return of what gave them, the end of a hold on some, somebody who wants more:
    at once, and twice each, through two processes. What they come to is the same in any order."""
    contenders: list[Request] = []
    members = [await world.member() for _ in range(12)]
    bought = [world.purchase(member, 10_000) for member in members]
    await world.records(*bought)
    world.pass_time(days=350)
    held = [await world.redeem(m, 40, capture=False, hold_for=timedelta(days=20)) for m in members]
    world.pass_time(days=15)
    now = world.clock.now()
    for member, purchase, redemption in zip(members, bought, held, strict=True):
        contenders += [world.request(world.back(purchase, return_id=f"r-{purchase.external_id}"))]
        contenders += [world.request(ends(occurred_at=now, redemption_id=redemption))]
        contenders += [command(world, f"k-{redemption}", member=member, amount=60, capture=True)]
    contenders += [world.request(fact) for fact in await world.due()]
    contenders *= 2
    random.Random(5).shuffle(contenders)

    answers = await at_once(world, second, contenders)
    await world.sweep()

    ways = Counter(
        (type(request.fact), getattr(answer, "code", None))
        for request, answer in zip(contenders, answers, strict=True)
    )
    assert ways[Redeem, Code.INSUFFICIENT_BALANCE] == ways[ends, None] == 24
    assert ways[PurchaseReversed, None] == 24
    assert ways[LotsDue, None]
    assert ways[LotsDue, Code.NOT_FOUND]  # the return came first at times
    owed = 40 if ends is CaptureRedemption else 0
    for member in members:
        balance = await world.balance(member)
        assert (balance.total, balance.held, balance.deficit) == (0, 0, owed)


def canonical(answer: Recorded) -> tuple[UUID, str, UUID | None, bytes]:
    said = orjson.dumps(dict(answer.answer), option=orjson.OPT_SORT_KEYS)
    return answer.fact_id, answer.kind, answer.member_id, said
