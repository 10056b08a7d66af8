"""Previews: the answer that recording would give, and nothing written, drawn or sent."""

import asyncio
import re
from collections.abc import Iterator
from contextvars import Context
from typing import Any

from pydantic import BaseModel

from loyalty.effects import Effect, Grant
from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef, PurchaseRecorded
from loyalty.plugin import Plugin, on
from loyalty.recorder.wants import More
from loyalty.settlement.request import GUEST, Recorded
from loyalty.view import View
from loyalty_points.plugin import plugin as points_plugin
from loyalty_tenants.units import create_unit
from tests.kernel.conftest import BOSS
from tests.kernel.properties.gift_program import plugin as gifts
from tests.kernel.recorder.capped_program import CAPPED


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
    chances = [{"program": "luck", "version": 1, "label": "prize"}]
    assert previewed.body["byChance"] == chances
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


async def test_a_preview_waits_for_nobody_and_nobody_waits_for_it(world: Any) -> None:
    """Made to happen: somebody holds the tenant, the member and their accounts."""
    member = await world.member()
    await world.record(world.purchase(member, 500))
    request = world.request(world.purchase(member, 1_000))

    async with world.database.tenant(world.tenant_id) as connection:
        setup = await world.recorder.setups.get(world.tenant_id)
        await world.recorder.open(connection, [request], setup, More())
        looking = world.recorder.preview(world.tenant_id, request)
        previewed = await asyncio.create_task(looking, context=Context())  # in another's name

    assert [row["amount"] for row in previewed.answer["earned"]] == [10]


async def test_what_looks_is_what_locks_without_its_locks(world: Any) -> None:
    """A migration that replaces open_batch makes read_batch anew, or this is red."""
    source = """select pg_get_functiondef(oid) as text, provolatile from pg_proc
                 where proname = $1 order by oid desc limit 1"""
    (locks,) = await world.rows(source, "open_batch")
    (looks,) = await world.rows(source, "read_batch")
    text = re.sub("FUNCTION loyalty.open_batch", "FUNCTION loyalty.read_batch", locks["text"])
    text = re.sub("LANGUAGE plpgsql\n", "LANGUAGE plpgsql\n STABLE", text)
    text = re.sub(r"\bfor (no key update|share)\b", "", text)
    text = re.sub(r"insert into loyalty\.counter [^;]*;", "", text)

    assert looks["text"] == text
    assert looks["provolatile"] == b"s"  # so Postgres refuses locks and writes in it


async def test_a_guest_is_somebody_new(make_world: Any) -> None:
    world = await make_world(config=None, plugins=(CAPPED,))
    await world.run_program("capped", {"cap": 12}, kind="capped")
    member = await world.member()
    await world.record(world.purchase(member, 1_000))
    before = await world.digest()

    request = world.request(world.purchase(GUEST, 1_500))
    guest = await world.recorder.preview(world.tenant_id, request)
    theirs = world.request(world.purchase(member, 1_500))
    known = await world.recorder.preview(world.tenant_id, theirs)

    assert [[row["amount"] for row in one.answer["earned"]] for one in (guest, known)] == [
        [12],
        [2],
    ]
    assert guest.body["read"] == {"capped": {"version": 1, "counters": {"given": 0}}}
    assert guest.body["grants"][0]["wanted"] == 15
    assert await world.digest() == before
    recorded = await world.refusal(world.purchase(GUEST, 1_500))
    assert recorded.code is Code.MEMBER_NOT_FOUND


async def test_a_guest_shares_the_tenants_budgets(make_world: Any) -> None:
    world = await make_world(config=None, plugins=(gifts,))
    await world.run_program("gifts", {}, kind="gifts")
    async with world.database.tenant(world.tenant_id) as connection:
        await create_unit(connection, BOSS, code="stars", name="Stars", now=world.clock.now())
    member = await world.member()
    await world.record(world.purchase(member, 4_400))

    request = world.request(world.purchase(GUEST, 4_400))
    guest = await world.recorder.preview(world.tenant_id, request)

    assert [row["amount"] for row in guest.answer["earned"]] == [10]  # 440 of 450 are spent
    assert guest.body["read"]["gifts"]["counters"] == {"spent": 440}
