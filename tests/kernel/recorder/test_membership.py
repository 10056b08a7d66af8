"""Members come and go: enrolled once, named by one name each, and gone with what they had."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from loyalty.commands import AdjustBalance, CaptureRedemption, Redeem, ReleaseRedemption
from loyalty.errors import Code, Refused
from loyalty.facts import ActivityRecorded, MemberClosed, MemberEnrolled, MemberRef
from loyalty.plugin import Plugin, on
from loyalty_points.plugin import plugin as points_plugin


def enrolled(world: Any, external_id: str, *cards: str, **attributes: Any) -> MemberEnrolled:
    return MemberEnrolled(
        occurred_at=world.clock.now(), external_id=external_id, identifiers=cards,
        attributes=attributes,
    )  # fmt: skip


def closed(world: Any, member: MemberRef) -> MemberClosed:
    return MemberClosed(member=member, occurred_at=world.clock.now(), reason="asked")


async def test_64_enrolments_of_one_name_make_one_member(world: Any, second: Any) -> None:
    request = world.request(enrolled(world, "anna", "card-1"))

    answers = await asyncio.gather(
        *(
            (world.recorder if i % 2 else second).record_many(world.tenant_id, [request])
            for i in range(64)
        )
    )

    assert len({answer[0].member_id for answer in answers}) == 1
    assert sum(not answer[0].replayed for answer in answers) == 1
    assert (await world.rows("select count(*) from loyalty.member"))[0][0] == 1


async def test_64_purchases_of_somebody_new_enrol_them_once(make_world: Any) -> None:
    world = await make_world(enroll_on_purchase=True)
    anna = MemberRef(external_id="anna")

    answers = await asyncio.gather(
        *(
            world.recorder.record_many(world.tenant_id, [world.request(world.purchase(anna, 100))])
            for _ in range(64)
        )
    )

    (member_id,) = {answer[0].member_id for answer in answers}
    assert (await world.balance(MemberRef(id=member_id))).available == 64
    await world.audited()


async def test_one_card_belongs_to_one_member(world: Any, second: Any) -> None:
    facts = [enrolled(world, f"m-{i}", "card-1") for i in range(16)]

    answers = await asyncio.gather(
        *(
            (world.recorder if i % 2 else second).record_many(
                world.tenant_id, [world.request(fact)]
            )
            for i, fact in enumerate(facts)
        )
    )

    refused = [a[0] for a in answers if isinstance(a[0], Refused)]
    assert len(refused) == 15
    assert {(r.code, r.field) for r in refused} == {(Code.ALREADY_EXISTS, "identifiers.0")}
    assert (await world.rows("select count(*) from loyalty.member"))[0][0] == 1


async def test_in_one_batch_a_card_belongs_to_whom_it_came_first(world: Any) -> None:
    outcomes = await world.records(
        enrolled(world, "a", "card-1"),
        enrolled(world, "b", "card-2", "card-1"),
        enrolled(world, "b", "card-2"),
        enrolled(world, "c", "card-3", "card-3"),
    )

    assert [(getattr(o, "code", None), getattr(o, "field", None)) for o in outcomes] == [
        (None, None), (Code.ALREADY_EXISTS, "identifiers.1"), (None, None),
        (Code.ALREADY_EXISTS, "identifiers.1"),
    ]  # fmt: skip


async def test_a_name_with_other_content_is_refused_whenever_it_comes(world: Any) -> None:
    await world.record(enrolled(world, "anna", vip=True))
    world.pass_time(days=3)

    again = await world.record(enrolled(world, "anna", vip=True))
    other = await world.refusal(enrolled(world, "anna", vip=1))

    assert again.replayed
    assert (other.code, other.details) == (Code.MEMBER_EXISTS, {"differs": ["attributes.vip"]})


async def test_a_member_is_the_same_by_any_name(world: Any) -> None:
    member = (await world.record(enrolled(world, "anna", "card-1"))).member_id
    refs = [
        MemberRef(id=member), MemberRef(external_id="anna"), MemberRef(identifier="card-1"),
    ]  # fmt: skip

    await world.records(*(world.purchase(ref, 100) for ref in refs))
    redeem = [
        Redeem(
            member=ref, occurred_at=world.clock.now(), program="points", unit="points", amount=1,
            capture=True,
        )
        for ref in refs
    ]  # fmt: skip
    outcomes = await world.recorder.record_many(
        world.tenant_id, [world.request(command) for command in redeem]
    )

    assert {outcome.member_id for outcome in outcomes} == {member}
    assert (await world.balance(refs[0])).available == 0


async def test_many_lots_burn_in_order_however_the_member_is_named(world: Any) -> None:
    member = await world.member("anna")
    for days in (30, 10, 20):
        await world.give(member, 5, days=days)
    now = world.clock.now()
    refs = (member, MemberRef(external_id="anna"))
    redeems = [
        Redeem(
            member=ref, occurred_at=now, program="points", unit="points", amount=5, capture=capture
        )
        for ref, capture in zip(refs, (False, True), strict=True)
    ]

    outcomes = await world.recorder.record_many(
        world.tenant_id, [world.request(command) for command in redeems]
    )

    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
    rows = await world.rows("select remaining from loyalty.lot order by expires_at")
    assert [row["remaining"] for row in rows] == [0, 0, 5]


async def test_who_leaves_forfeits_what_is_left(world: Any) -> None:
    member = await world.member()
    await world.record(world.purchase(member, 1_000))
    await world.give(member, 5)

    await world.record(closed(world, member))

    assert (await world.balance(member)).total == 0
    rows = await world.rows(
        "select a.owner_kind, p.amount from loyalty.posting p join loyalty.account a"
        " on a.id = p.to_id where a.kind = 'breakage' order by 2"
    )
    assert [tuple(row) for row in rows] == [("TENANT", 5), ("PROGRAM", 10)]


async def test_nothing_new_is_given_to_who_left(world: Any) -> None:
    member = await world.member()
    await world.record(closed(world, member))
    now = world.clock.now()

    refused = [
        await world.refusal(world.purchase(member, 100)),
        await world.refusal(
            ActivityRecorded(member=member, occurred_at=now, source="a", external_id="1", type="t")
        ),
        await world.refusal(
            AdjustBalance(
                member=member, occurred_at=now, unit="points", amount=1, reason_code="FIX"
            )
        ),
        await world.refusal(
            Redeem(member=member, occurred_at=now, program="points", unit="points", amount=1)
        ),
    ]

    assert [r.code for r in refused] == [Code.MEMBER_CLOSED] * 4
    assert (await world.refusal(closed(world, member))).code is Code.ALREADY_CLOSED


@pytest.mark.parametrize("end", ["capture", "part", "release", "lapse"])
async def test_a_hold_of_who_left_comes_to_its_end_and_nothing_is_kept(
    world: Any, end: str
) -> None:
    member = await world.member()
    await world.give(member, 10)
    held = await world.redeem(member, 6, capture=False, hold_for=timedelta(minutes=5))
    await world.record(closed(world, member))
    assert (await world.balance(member)).held == 6
    now = world.clock.now()

    match end:
        case "capture":
            await world.record(CaptureRedemption(occurred_at=now, redemption_id=held))
        case "part":
            await world.record(CaptureRedemption(occurred_at=now, redemption_id=held, amount=2))
        case "release":
            await world.record(ReleaseRedemption(occurred_at=now, redemption_id=held))
        case "lapse":
            world.pass_time(minutes=6)
            await world.sweep()

    balance = await world.balance(member)
    assert (balance.total, balance.held, balance.deficit) == (0, 0, 0)


async def test_a_failed_closing_closes_nobody_in_the_rest_of_its_batch(
    make_world: Any,
) -> None:
    world = await make_world(plugins=(_quarrelsome(), points_plugin))
    await world.run_program("quarrel", {}, kind="quarrelsome")
    member = await world.member()

    outcomes = await world.records(closed(world, member), world.purchase(member, 100))

    assert [getattr(o, "code", None) for o in outcomes] == [Code.INTERNAL, None]
    assert (await world.balance(member)).available == 1


def _quarrelsome() -> Plugin:
    class Config(BaseModel):
        pass

    def fail(config: Config, fact: MemberClosed, view: Any) -> list[Any]:
        raise ArithmeticError("a rule that fails")

    return Plugin(name="quarrelsome", config=Config, reactions=(on(MemberClosed, Config, fail),))
