"""One punch card beside two points programs: units shared, stages and order as declared."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from loyalty.effects import AccountingClass, Effect, Grant
from loyalty.facts import PurchaseRecorded
from loyalty.plugin import Plugin, on
from loyalty.view import Stage, View
from loyalty_points.plugin import plugin as points
from loyalty_stamps.config import StampsConfig
from loyalty_stamps.plugin import plugin as stamps


async def test_three_programs_in_one_tenant_share_a_unit(shop: Any) -> None:
    await shop.run("shop", kind="points")
    await shop.run("club", kind="points", unit="gems")
    await shop.run("card")
    member = await shop.member()

    recorded = await shop.record(shop.coffees(member, 3))

    assert [(e["rule"], e["unit"], e["amount"]) for e in recorded.answer["earned"]] == [
        ("shop/base", "points", 12),
        ("club/base", "gems", 12),
        ("card/card", "points", 10),
    ]
    assert await shop.points(member) == 22
    assert await shop.points(member, "gems") == 12


async def test_a_bonus_reads_what_the_base_gave_and_only_in_its_unit(shop: Any) -> None:
    await shop.run("card", needed=100, extra_percent=50)
    await shop.run("shop", kind="points")
    await shop.run("twin", kind="points")
    await shop.run("club", kind="points", unit="gems")
    member = await shop.member()

    recorded = await shop.record(shop.coffees(member, 2))

    amounts = {e["rule"]: e["amount"] for e in recorded.answer["earned"]}
    assert amounts == {"shop/base": 8, "twin/base": 8, "club/base": 8, "card/extra": 8}


async def test_a_return_takes_every_programs_share_back(shop: Any) -> None:
    await shop.run("card", extra_percent=50, first_card=5)
    await shop.run("shop", kind="points")
    member = await shop.member()
    purchase = shop.coffees(member, 3)
    await shop.record(purchase)
    assert await shop.points(member) == 12 + 6 + 10 + 5

    await shop.record(shop.back(purchase))

    assert (await shop.points(member), await shop.stamps(member)) == (0, [0])


def _giving(name: str, *, stage: Stage = Stage.BASE, after: tuple[str, ...] = ()) -> Plugin:
    """A plugin that says which grants it saw."""

    def give(config: StampsConfig, fact: PurchaseRecorded, view: View) -> Iterable[Effect]:
        seen = [grant.program for grant in view.grants]
        yield Grant(
            unit="points", wanted=1, granted=1, rule="one",
            accounting_class=AccountingClass.MARKETING, inputs={"seen": seen},
        )  # fmt: skip

    reaction = on(PurchaseRecorded, StampsConfig, give, stage=stage, after=after)
    return Plugin(name=name, config=StampsConfig, reactions=(reaction,))


CARD = {"unit": "points", "needed": 1, "reward": 1, "category": "x"}


@pytest.mark.parametrize(
    ("plugins", "order"),
    [
        ([_giving("a"), _giving("b"), _giving("c")], "cba"),
        ([_giving("a"), _giving("b", after=("a",)), _giving("c")], "cab"),
        ([_giving("a", after=("b",)), _giving("b", after=("c",)), _giving("c")], "cba"),
        ([_giving("a"), _giving("b"), _giving("c", after=("a", "b"))], "bac"),
        ([_giving("a"), _giving("b", stage=Stage.AFTER), _giving("c")], "cab"),
        ([_giving("a", after=("nobody",)), _giving("b"), _giving("c")], "cba"),
        # `after` counts within a stage only
        ([_giving("a"), _giving("b"), _giving("c", stage=Stage.BONUS, after=("a",))], "bac"),
        ([_giving("a", stage=Stage.BONUS, after=("b",)), _giving("b", after=("a",)), _giving("c")],
         "cba"),
    ],
)  # fmt: skip
async def test_who_comes_first(make_shop: Any, plugins: list[Plugin], order: str) -> None:
    shop = await make_shop(plugins)
    for kind in "cba":  # their positions are as they were created
        await shop.run(f"the-{kind}", kind=kind, **CARD)
    member = await shop.member()

    recorded = await shop.record(shop.coffees(member, 1))

    (decision,) = await shop.rows(
        "select body from loyalty.decision where fact_id = $1", recorded.fact_id
    )
    grants = decision["body"]["grants"]
    ran = [grant["program"] for grant in grants]
    assert ran == [f"the-{kind}" for kind in order]
    assert [grant["inputs"]["seen"] for grant in grants] == [ran[:at] for at in range(3)]


async def test_a_rule_that_raises_fails_its_own_fact_only(
    make_shop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    broken = []

    def brittle(config: StampsConfig, fact: PurchaseRecorded, view: View) -> Iterable[Effect]:
        if fact.external_id in broken:
            raise ZeroDivisionError("a rule of a plugin")
        return ()

    breaking = on(PurchaseRecorded, StampsConfig, brittle, stage=Stage.AFTER)
    shop = await make_shop([points, replace(stamps, reactions=(*stamps.reactions, breaking))])
    await shop.run("shop", kind="points")
    await shop.run("card", buddy_stamps=1)
    member, buddy = await shop.buddies()
    purchases = [shop.coffees(member, 1, external_id=f"p{number}") for number in range(3)]
    broken.append("p1")

    first, second, third = await shop.records(*purchases)
    mid = await shop.points(member), await shop.stamps(member)
    broken.clear()
    (again,) = await shop.records(purchases[1])

    assert (second.code, second.code.retryable) == ("INTERNAL", True)
    assert [first.replayed, third.replayed, again.replayed] == [False, False, False]
    assert mid == (8, [2])
    assert await shop.points(member) == 12 + 10
    assert len(await shop.settle_due()) == 3
    assert await shop.stamps(buddy) == [0]
    assert "a rule failed on PurchaseRecorded" in caplog.text
    await shop.audited()
