"""Luck is drawn once for one purchase, however often it is sent or corrected."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from loyalty.effects import Effect, Grant
from loyalty.facts import PurchaseRecorded
from loyalty.plugin import Plugin, on
from loyalty.view import View


class Config(BaseModel):
    pass


def _prize(config: Config, fact: PurchaseRecorded, view: View) -> Iterator[Effect]:
    roll = view.chance("prize")
    prize = 1 + int((roll or 0) * 1_000_000)
    yield Grant(unit="points", wanted=prize, granted=prize, rule="prize")


LUCKY = Plugin(name="lucky", config=Config, reactions=(on(PurchaseRecorded, Config, _prize),))


async def test_a_corrected_purchase_keeps_its_luck_and_another_has_its_own(make_world: Any) -> None:
    world = await make_world(config=None, plugins=(LUCKY,))
    await world.run_program("lucky", {}, kind="lucky")
    member = await world.member()

    async def prize(order: str, revision: int) -> int:
        purchase = world.purchase(member, 100 * revision, external_id=order, revision=revision)
        return int((await world.record(purchase)).answer["earned"][0]["amount"])

    first, corrected, again = [await prize("a", revision) for revision in (1, 2, 3)]

    assert first == corrected == again
    assert await prize("b", 1) != first
    assert await prize("a#2", 1) != first
    await world.audited()
