"""A preview is what recording does next: the same rules, amounts, shares and cuts."""

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from loyalty.facts import ActivityRecorded
from loyalty.purchase import Line
from loyalty.settlement.request import Recorded
from tests.plugins.points.till import activity, rule

PERIODS = ("day", "week", "month", "year", "lifetime")
STORIES = 6
SAME = ("program", "rule", "unit", "wanted", "granted", "cutBy", "lines", "postponed", "inputs")


def a_period(dice: Random) -> dict[str, Any]:
    period = dice.choice([*PERIODS, "rolling"])
    starts = dice.choice([{}, {"day_starts_at": "06:00"}])
    return {"period": period, **starts} | ({"days": 3} if period == "rolling" else {})


def earning(dice: Random, at: int) -> dict[str, Any]:
    keys: dict[str, Any] = {
        "points": dice.choice(["1", "0.5", "2.25"]),
        "rounding": dice.choice(["floor", "half_up", "half_even", "ceiling"]),
        "include": dice.choice([{}, {"categories": ["coffee"]}]),
        "caps": dice.choice([[], [{"points": str(dice.randint(5, 30)), **a_period(dice)}]]),
        "limits": dice.choice([[], [{"times": dice.randint(1, 4), **a_period(dice)}]]),
        "base": dice.choice(["net", "gross"]),
    }
    if dice.random() < 0.4:
        keys["over"] = a_period(dice)
    if dice.random() < 0.3:
        keys |= {"minimum_purchase": {"USD": "20.00"}, "minimum_lost": "recompute"}
    if dice.random() < 0.3:
        keys["when"] = "purchase.quantity > 1.0 || member.tier == 'gold'"
    if dice.random() < 0.3:
        keys |= {"group": "g", "priority": at + 1}
    return rule(f"earn-{at}", **keys)


def a_program(dice: Random) -> dict[str, Any]:
    rules = [earning(dice, at) for at in range(dice.randint(1, 4))]
    if dice.random() < 0.6:
        of = dice.choice(["base", "granted"])
        rules.append(rule("bonus", bonus={"factor": "1.5", "of": of}, accounting_class="MARKETING"))
    rules.append(activity("visit", "7", limits=[{"times": 2, "period": "day"}]))
    caps = [{"points": "150", "period": "month", "per": dice.choice(["member", "program"])}]
    grants = dice.choice(["all", "best", "first"])
    for one in rules if grants != "first" else ():
        one.pop("priority", None)
    return {
        "rules": rules,
        "groups": [{"id": "g", "grants": grants}],
        "caps": dice.choice([[], caps]),
    }


def a_purchase(dice: Random, world: Any, ada: Any) -> Any:
    lines = tuple(
        Line(id=str(at), amount=dice.randint(1, 40_00), quantity=dice.randint(1, 3) * 1000,
             category=dice.choice([None, "coffee", "garden"]))
        for at in range(dice.randint(1, 3))
    )  # fmt: skip
    total = sum(line.amount for line in lines)
    return world.purchase(ada, total, lines=lines)


def told(grants: Any) -> list[Mapping[str, Any]]:
    return [{key: row[key] for key in SAME if key in row} for row in grants]


@pytest.mark.parametrize("seed", range(STORIES))
async def test_what_is_previewed_is_granted(club: Any, seed: int) -> None:
    dice = Random(seed)
    shop = await club("2026-03-06T12:00", **a_program(dice))  # the clocks change on the 8th
    ada = await shop.world.member()
    bought: list[Any] = []
    for step in range(9):
        await shop.comes(f"2026-03-{6 + step // 3:02}T{(5, 12, 23)[step % 3]:02}:30", worked=False)
        if bought and dice.random() < 0.3:
            back = shop.world.back(bought.pop(dice.randrange(len(bought))))
            await shop.world.record(back)
        fact: Any = a_purchase(dice, shop.world, ada)
        if dice.random() < 0.3:
            fact = ActivityRecorded(
                member=ada, occurred_at=shop.world.clock.now(), source="app",
                external_id=f"v-{step}", type="visit", attributes={},
            )  # fmt: skip
        else:
            bought.append(fact)
        request = shop.world.request(fact, None)
        before = await shop.world.rows("select count(*) as n from loyalty.fact")
        previewed = await shop.world.recorder.preview(shop.world.tenant_id, request)
        assert await shop.world.rows("select count(*) as n from loyalty.fact") == before
        recorded = await shop.world.record(fact)
        assert isinstance(previewed, Recorded)
        assert previewed.body is not None
        (row,) = await shop.world.rows(
            "select body from loyalty.decision where fact_id = $1", recorded.fact_id
        )
        assert told(previewed.body["grants"]) == told(row["body"]["grants"])
        amounts = [one["amount"] for one in previewed.answer.get("earned", ())]
        assert amounts == [one["amount"] for one in recorded.answer.get("earned", ())]
