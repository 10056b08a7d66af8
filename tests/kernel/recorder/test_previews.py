"""Previews: the answer that recording would give, and nothing written, drawn or sent."""

import asyncio
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from loyalty.effects import Effect, Grant
from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef, PurchaseRecorded
from loyalty.plugin import Plugin, on
from loyalty.settlement.request import Recorded
from loyalty.view import View
from loyalty_points.plugin import plugin as points_plugin


class Luck(BaseModel):
    pass


def _prize(config: Luck, fact: PurchaseRecorded, view: View) -> Iterator[Effect]:
    roll = view.chance("prize")
    amount = 1 if roll is None else 1_000
    yield Grant(unit="points", wanted=amount, granted=amount, rule="prize")


lucky = Plugin(name="lucky", config=Luck, reactions=(on(PurchaseRecorded, Luck, _prize),))


async def test_a_preview_answers_what_recording_would_and_writes_nothing(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 1_299)
    before = await world.digest()

    previewed = await world.recorder.preview(world.tenant_id, world.request(purchase))

    assert await world.digest() == before
    recorded = await world.record(purchase)
    assert previewed.answer["earned"] == recorded.answer["earned"]
    assert await world.digest() != before  # the digest sees a purchase


async def test_a_preview_of_somebody_new_enrols_nobody(make_world: Any) -> None:
    world = await make_world(enroll_on_purchase=True)
    before = await world.digest()

    request = world.request(world.purchase(MemberRef(external_id="new"), 500))
    previewed = await world.recorder.preview(world.tenant_id, request)

    assert isinstance(previewed, Recorded)
    assert await world.digest() == before


async def test_a_preview_is_refused_as_recording_would_be(world: Any) -> None:
    request = world.request(world.purchase(MemberRef(external_id="nobody"), 500))

    previewed = await world.recorder.preview(world.tenant_id, request)

    assert isinstance(previewed, Refused)
    assert previewed.code is Code.MEMBER_NOT_FOUND


async def test_a_preview_of_what_is_known_is_its_first_answer(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 500)
    recorded = await world.record(purchase)

    previewed = await world.recorder.preview(world.tenant_id, world.request(purchase))

    assert (previewed.replayed, previewed.answer) == (True, recorded.answer)


async def test_a_preview_draws_nothing(make_world: Any) -> None:
    world = await make_world(None, plugins=(points_plugin, lucky))
    await world.run_program("luck", {}, kind="lucky")
    member = await world.member()
    purchase = world.purchase(member, 500)

    previewed = await world.recorder.preview(world.tenant_id, world.request(purchase))
    recorded = await world.record(purchase)

    assert [e["amount"] for e in previewed.answer["earned"]] == [1]
    assert [e["amount"] for e in recorded.answer["earned"]] == [1_000]
    (decision,) = await world.rows(
        "select body -> 'draws' as draws from loyalty.decision where body ? 'draws'"
    )
    assert [draw["label"] for draw in decision["draws"]] == ["prize"]


async def test_a_preview_of_a_return_that_needs_every_lot(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 1_000)
    await world.record(purchase)
    for days in (1, 2, 3):
        await world.give(member, 5, days=days)
    await world.redeem(member, 20)
    before = await world.digest()

    request = world.request(world.back(purchase))
    previewed = await world.recorder.preview(world.tenant_id, request)

    assert [row["amount"] for row in previewed.answer["takenBack"]] == [10]
    assert await world.digest() == before


async def test_previews_and_records_at_once_disturb_nobody(world: Any) -> None:
    member = await world.member()
    purchases = [world.purchase(member, 100) for _ in range(40)]

    await asyncio.gather(
        *(world.recorder.preview(world.tenant_id, world.request(p)) for p in purchases),
        *(world.lanes.record(world.tenant_id, world.request(p)) for p in purchases[::2]),
    )

    assert (await world.balance(member)).available == 20


async def test_a_preview_sees_a_program_published_by_another_process(
    world: Any, second: Any
) -> None:
    member = await world.member()
    request = world.request(world.purchase(member, 1_000))
    await second.preview(world.tenant_id, request)
    rule = {
        "id": "base", "label": "x", "accounting_class": "MARKETING", "points": "5",
        "per": {"USD": "1.00"},
    }  # fmt: skip
    await world.run_program("more", {"unit": "points", "rules": [rule]})

    previewed = await second.preview(world.tenant_id, request)

    assert sum(e["amount"] for e in previewed.answer["earned"]) == 60
