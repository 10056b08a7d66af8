"""Holds: reserved, captured in part or whole, released, lapsed, reversed."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from loyalty.commands import CaptureRedemption, Redeem, ReleaseRedemption, ReverseRedemption
from loyalty.errors import Code
from loyalty.facts import HoldLapsed, MemberRef
from loyalty.ids import new_id


async def lots(world: Any) -> list[int]:
    rows = await world.rows("select remaining from loyalty.lot order by expires_at, id")
    return [row["remaining"] for row in rows]


def capture(world: Any, held: UUID, amount: int | None = None, **more: Any) -> CaptureRedemption:
    return CaptureRedemption(
        occurred_at=world.clock.now(), redemption_id=held, amount=amount, **more
    )


def release(world: Any, held: UUID) -> ReleaseRedemption:
    return ReleaseRedemption(occurred_at=world.clock.now(), redemption_id=held)


def reverse(world: Any, redemption: UUID) -> ReverseRedemption:
    return ReverseRedemption(occurred_at=world.clock.now(), redemption_id=redemption)


async def test_a_reward_issued_and_cancelled_is_as_if_it_never_was(world: Any) -> None:
    """SQ-8: balance 20, reward of 15."""
    member = await world.member()
    await world.give(member, 12, days=10)
    await world.give(member, 8, days=20)
    before = await lots(world)

    issued = await world.redeem(member, 15, capture=False)
    during = await world.balance(member)
    await world.record(release(world, issued))

    assert (during.available, during.held, during.total) == (5, 15, 5)
    assert await lots(world) == before == [12, 8]
    assert (await world.balance(member)).available == 20


async def test_a_reward_issued_and_used_cannot_be_cancelled(world: Any) -> None:
    """SQ-8, the other end."""
    member = await world.member()
    await world.give(member, 20, days=10)

    issued = await world.redeem(member, 15, capture=False)
    await world.record(capture(world, issued))

    assert (await world.balance(member)).available == 5
    refused = await world.refusal(release(world, issued))
    assert (refused.code, refused.details) == (Code.REDEMPTION_STATE, {"state": "CAPTURED"})


async def test_the_lots_burn_in_order_of_their_end(world: Any) -> None:
    """SB-4: lots 30 and 100; redeem 25, then 100."""
    member = await world.member()
    await world.give(member, 30, days=10)
    await world.give(member, 100, days=40)

    await world.redeem(member, 25)
    after_one = await lots(world)
    await world.redeem(member, 100)

    assert (after_one, await lots(world)) == ([5, 100], [0, 5])


@pytest.mark.parametrize(
    ("reversible", "total"),
    [({"grace_days": None}, 10), ({"grace_days": 30}, 20)],
    ids=["gone", "grace"],
)
@pytest.mark.parametrize("swept", [True, False], ids=["swept", "unswept"])
async def test_a_reversal_past_a_lots_term(
    make_world: Any, reversible: dict[str, Any], total: int, swept: bool
) -> None:
    """SH-4: credits 10 (May) and 10 (December); spend 15, reverted in June."""
    world = await make_world(_redeeming(reversible=reversible))
    member = await world.member()
    await world.give(member, 10, days=5)
    await world.give(member, 10, days=200)
    spent = await world.redeem(member, 15)
    assert await lots(world) == [0, 5]
    world.pass_time(days=30)
    if swept:
        await world.sweep()

    answer = (await world.record(reverse(world, spent))).answer

    assert (await world.balance(member)).available == total
    assert (answer["reinstated"], answer["expired"]) == (total - 5, 20 - total)
    world.pass_time(days=31)
    await world.sweep()
    assert (await world.balance(member)).available == 10
    await world.audited()


@pytest.mark.parametrize("swept", [True, False], ids=["swept", "unswept"])
async def test_grace_is_for_what_was_spent_not_for_what_was_left_to_expire(
    make_world: Any, swept: bool
) -> None:
    world = await make_world(_redeeming(reversible={"grace_days": 30}))
    member = await world.member()
    await world.give(member, 10, days=5)
    spent = await world.redeem(member, 4)
    world.pass_time(days=10)
    if swept:
        await world.sweep()

    await world.record(reverse(world, spent))

    assert (await world.balance(member)).available == 4
    await world.audited()


async def test_a_program_may_take_no_redemption_back(make_world: Any) -> None:
    world = await make_world(_redeeming(reversible={"allowed": False}))
    member = await world.member()
    await world.give(member, 10)
    spent = await world.redeem(member, 10)

    assert (await world.refusal(reverse(world, spent))).code is Code.NOT_REVERSIBLE
    assert (await world.balance(member)).available == 0


async def test_of_a_part_captured_the_last_to_expire_comes_back(world: Any) -> None:
    member = await world.member()
    await world.give(member, 10, days=5)
    await world.give(member, 10, days=50)
    held = await world.redeem(member, 18, capture=False)

    await world.record(capture(world, held, 13, order="o-7"))

    assert await lots(world) == [0, 7]  # 10 and 3 were captured, 5 of the later lot came back
    (row,) = await world.rows("select state, amount, captured, order_ref from loyalty.redemption")
    assert tuple(row) == ("CAPTURED", 18, 13, "o-7")
    await world.record(reverse(world, held))
    assert await lots(world) == [10, 10]


@pytest.mark.parametrize("amount", [0, -1, 11])
async def test_no_more_is_captured_than_is_held(world: Any, amount: int) -> None:
    member = await world.member()
    await world.give(member, 20)
    held = await world.redeem(member, 10, capture=False)

    refused = await world.refusal(capture(world, held, amount))

    assert (refused.code, refused.field) == (Code.BAD_AMOUNT, "amount")
    assert (await world.balance(member)).held == 10


async def test_held_value_does_not_expire_until_it_comes_back(world: Any) -> None:
    member = await world.member()
    await world.give(member, 10, days=5)
    held = await world.redeem(member, 10, capture=False, hold_for=timedelta(days=30))
    world.pass_time(days=6)
    await world.sweep()

    await world.record(capture(world, held))

    assert (await world.balance(member)).held == 0
    assert not await world.rows("select from loyalty.posting where kind = 'EXPIRE'")


async def test_a_hold_lapses_once_and_gives_its_lots_back(world: Any) -> None:
    member = await world.member()
    await world.give(member, 10)
    held = await world.redeem(member, 10, capture=False, hold_for=timedelta(minutes=5))
    early = HoldLapsed(occurred_at=world.clock.now(), redemption_id=held)
    assert (await world.refusal(early)).code is Code.REDEMPTION_STATE
    world.pass_time(minutes=5)
    assert (await world.refusal(capture(world, held))).details == {"state": "LAPSED"}

    (lapsed,) = await world.sweep()

    assert not lapsed.replayed
    assert (await world.balance(member)).available == 10
    assert (await world.refusal(release(world, held))).details == {"state": "LAPSED"}
    fact = HoldLapsed(occurred_at=world.clock.now(), redemption_id=held)
    assert (await world.record(fact)).replayed


async def test_a_hold_may_be_released_by_its_client_after_its_time(world: Any) -> None:
    member = await world.member()
    await world.give(member, 10)
    held = await world.redeem(member, 10, capture=False, hold_for=timedelta(minutes=5))
    world.pass_time(minutes=6)

    await world.record(release(world, held))

    assert (await world.balance(member)).available == 10
    assert not await world.due()


async def test_holds_never_reserve_more_than_there_is(world: Any) -> None:
    member = await world.member()
    await world.give(member, 5_000)
    for _ in range(5):
        await world.redeem(member, 1_000, capture=False)

    sixth = Redeem(
        member=member, occurred_at=world.clock.now(), program="points", unit="points", amount=1
    )

    assert (await world.refusal(sixth)).code is Code.INSUFFICIENT_BALANCE


@pytest.mark.parametrize("steps", [("capture", "capture"), ("release", "release"),
                                   ("capture", "reverse", "reverse"), ("reverse",),
                                   ("release", "capture")])  # fmt: skip
async def test_each_step_is_taken_once(world: Any, steps: tuple[str, ...]) -> None:
    member = await world.member()
    await world.give(member, 10)
    held = await world.redeem(member, 10, capture=False)
    make: dict[str, Any] = {"capture": capture, "release": release, "reverse": reverse}
    for step in steps[:-1]:
        await world.record(make[step](world, held))
    before = await world.digest()

    assert (await world.refusal(make[steps[-1]](world, held))).code is Code.REDEMPTION_STATE
    assert await world.digest() == before


async def test_a_redemption_may_be_named_together_with_its_member(world: Any) -> None:
    member = await world.member("anna")
    other = await world.member("bela")
    await world.give(member, 10)
    held = await world.redeem(member, 10, capture=False)

    for stranger in (other, MemberRef(external_id="bela"), MemberRef(external_id="nobody")):
        refused = await world.refusal(capture(world, held, member=stranger))
        assert (refused.code, refused.field) == (Code.NOT_FOUND, "redemptionId")
    await world.record(capture(world, held, member=MemberRef(external_id="anna")))

    assert (await world.balance(member)).held == 0


async def test_a_redemption_that_is_not_there_is_not_found(world: Any) -> None:
    for command in (capture, release, reverse):
        assert (await world.refusal(command(world, new_id()))).code is Code.NOT_FOUND


async def test_a_program_that_redeems_no_such_unit_says_so(world: Any) -> None:
    member = await world.member()
    await world.give(member, 10)
    redeem = Redeem(
        member=member, occurred_at=world.clock.now(), program="nobody", unit="points", amount=5
    )

    assert (await world.refusal(redeem)).code is Code.PROGRAM_NOT_ACTIVE


async def test_hold_capture_and_reverse_in_one_batch(world: Any) -> None:
    member = await world.member()
    await world.give(member, 10)
    first, second = (
        await world.redeem(member, 4, capture=False),
        await world.redeem(member, 6, capture=False),
    )

    outcomes = await world.recorder.record_many(
        world.tenant_id,
        [
            world.request(command)
            for command in (
                capture(world, first), reverse(world, first), release(world, second),
                capture(world, second), release(world, first),
            )
        ],
    )  # fmt: skip

    assert [getattr(o, "code", None) for o in outcomes] == [
        None, None, None, Code.REDEMPTION_STATE, Code.REDEMPTION_STATE,
    ]  # fmt: skip
    assert (await world.balance(member)).available == 10


def _redeeming(**redemption: Any) -> dict[str, Any]:
    rule = {
        "id": "base", "label": "1 a dollar", "accounting_class": "MARKETING", "points": "1",
        "per": {"USD": "1.00"},
    }  # fmt: skip
    return {"unit": "points", "rules": [rule], "redemption": redemption}
