"""External ids that change hands: nobody is taken for somebody else."""

from typing import Any

import pytest

from loyalty import members
from loyalty.errors import Code, Refused
from loyalty.facts import MemberClosed, MemberEnrolled, MemberRef


async def rename(world: Any, member: MemberRef, name: str) -> None:
    assert member.id is not None
    async with world.database.tenant(world.tenant_id) as connection:
        await members.update(connection, member.id, external_id=name)


def enrolment(world: Any, name: str) -> MemberEnrolled:
    return MemberEnrolled(occurred_at=world.clock.now(), external_id=name)


async def test_a_name_that_was_given_up_is_free(world: Any) -> None:
    first = await world.member("a")
    await rename(world, first, "b")

    again = await world.record(enrolment(world, "a"))

    assert again.replayed is False
    assert again.member_id != first.id


async def test_a_name_that_another_member_took_is_taken(world: Any) -> None:
    first, second = await world.member("a"), await world.member("c")
    await rename(world, first, "b")
    await rename(world, second, "a")

    with pytest.raises(Refused) as refused:
        await world.record(enrolment(world, "a"))

    assert refused.value.code is Code.MEMBER_EXISTS


async def test_a_purchase_enrolls_under_a_name_that_was_given_up(make_world: Any) -> None:
    world = await make_world(enroll_on_purchase=True)
    first = await world.member("a")
    await rename(world, first, "b")

    recorded = await world.record(world.purchase(MemberRef(external_id="a"), 500))

    assert recorded.member_id != first.id
    await world.audited()


async def test_who_left_is_not_enrolled_again(world: Any) -> None:
    member = await world.member("a")
    await world.record(MemberClosed(member=member, occurred_at=world.clock.now()))

    with pytest.raises(Refused) as refused:
        await world.record(enrolment(world, "a"))

    assert refused.value.code is Code.MEMBER_CLOSED


async def test_a_balance_has_a_bound(world: Any) -> None:
    member = await world.member()
    await world.give(member, 9_000_000_000_000_000)

    with pytest.raises(Refused) as refused:
        await world.give(member, 1)

    assert refused.value.code is Code.LIMIT_EXCEEDED
