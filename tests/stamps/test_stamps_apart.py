"""A fact that is settled apart, even for the same member; a grant that is taken back as a whole."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from loyalty.effects import Effect, Emit, Grant, Least
from loyalty.facts import Fact, PurchaseRecorded
from loyalty.plugin import Plugin, PublishedFact, on
from loyalty.settlement.sale import WHOLE
from loyalty.view import View

LEAST = 500  # must be left of the goods, in minor units


class Config(BaseModel):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought(Fact):
    KIND: ClassVar[str] = "echo.bought/1"
    goods: int


def buy(config: Config, purchase: PurchaseRecorded, view: View) -> Iterable[Effect]:
    bought = Bought(member=purchase.member, occurred_at=purchase.occurred_at, goods=purchase.total)
    yield Emit(fact=bought, apart=True)


def thank(config: Config, bought: Bought, view: View) -> Iterable[Effect]:
    least = Least(amount=LEAST, of={WHOLE: bought.goods})
    yield Grant(
        unit="points", wanted=10, granted=10, rule="thanks", while_left=(least,), whole=True
    )


ECHO = Plugin(
    name="echo",
    config=Config,
    reactions=(
        on(PurchaseRecorded, Config, buy, emits=(Bought,)),
        on(Bought, Config, thank),
    ),
    facts=(PublishedFact(name=Bought.KIND, fact=Bought),),
)


@pytest.fixture
async def shop(make_shop: Any) -> Any:
    made = await make_shop([ECHO])
    await made.run("echo", kind="echo")
    return made


async def test_it_is_settled_apart_and_taken_back_once_too_little_is_left(shop: Any) -> None:
    member = await shop.member()
    purchase = shop.coffees(member, 3)
    await shop.record(purchase)
    assert await shop.points(member) == 0
    (settled,) = await shop.settle_due()
    assert (settled.kind, settled.member_id) == ("echo.bought/1", member.id)

    left = [await shop.points(member)]
    for cup in ("cup-0", "cup-1", "cup-2"):
        await shop.record(shop.back(purchase, cup))
        await shop.settle_due()
        left.append(await shop.points(member))
    assert left == [10, 10, 0, 0]  # 12.00, 8.00, then 4.00 of the 5.00 that must be left
    await shop.audited()


async def test_a_part_that_came_back_before_it_was_settled_counts(shop: Any) -> None:
    member = await shop.member()
    purchase = shop.coffees(member, 3)
    await shop.record(purchase)
    await shop.record(shop.back(purchase, "cup-0", "cup-1"))
    await shop.settle_due()
    await shop.settle_due()
    assert await shop.points(member) == 0
    await shop.audited()


async def test_where_everything_came_back_before_it_never_happens(shop: Any) -> None:
    member = await shop.member()
    purchase = shop.coffees(member, 3)
    await shop.record(purchase)
    await shop.record(shop.back(purchase))
    assert await shop.settle_due() == []
    (due,) = await shop.rows("select state from loyalty.due_fact")
    assert due["state"] == "CANCELLED"
