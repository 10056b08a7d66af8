"""What returns do to minimums, limits and caps: to the point, in any order."""

import itertools
from typing import Any

import pytest

from tests.graphql.brand import POINTS

BASE = POINTS["rules"][0]  # type: ignore[index]
LINES = [{"id": "a", "amount": "20.00", "quantity": "2"}, {"id": "b", "amount": "15.00"}]


def _config(**keys: Any) -> Any:
    return {"unit": "points", "rules": [{**BASE, **keys}]}


@pytest.mark.parametrize(("policy", "left"), [("keep", "25"), ("recompute", "0")])
async def test_a_minimum_that_is_lost(tell: Any, policy: str, left: str) -> None:
    keys = {"minimum_purchase": {"USD": "30.00"}, "minimum_lost": policy}
    story = await tell("2026-01-05T10:00", _config(**keys))
    purchase = await story.buys("35.00", lines=LINES)

    await story.brings_back(purchase, {"id": "b", "amount": "5.00"})
    assert await story.available() == "30"  # 30.00 are left: as much as it takes
    await story.brings_back(purchase, {"id": "a", "amount": "5.00"})

    assert await story.available() == left
    await story.brings_back(purchase)
    assert await story.available() == "0"


async def test_a_minimum_of_what_was_paid_in_one_way(tell: Any) -> None:
    """Half of it was paid in cash: 15.00 of each 30.00 count towards the minimum."""
    keys = {
        "minimum_purchase": {"USD": "12.00"}, "minimum_lost": "recompute",
        "paid_with": {"kinds": ["CASH"]},
    }  # fmt: skip
    story = await tell("2026-01-05T10:00", _config(**keys))
    tenders = [{"kind": "CASH", "amount": "17.50"}, {"kind": "CARD", "amount": "17.50"}]
    purchase = await story.buys("35.00", lines=LINES, tenders=tenders)
    assert await story.available() == "17"

    await story.brings_back(purchase, {"id": "b", "amount": "11.00"})  # 12.00 of cash are left
    assert await story.available() == "12"
    await story.brings_back(purchase, {"id": "b", "amount": "0.01"})
    assert await story.available() == "0"


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
async def test_a_bonus_a_cap_and_a_minimum_in_any_order_of_returns(tell: Any, order: Any) -> None:
    config = {
        "unit": "points",
        "rules": [
            {**BASE, "minimum_purchase": {"USD": "31.00"}, "minimum_lost": "recompute"},
            {"id": "more", "label": "x1.5", "accounting_class": "MARKETING",
             "bonus": {"factor": "1.5"}},
        ],
        "caps": [{"points": "45", "period": "day"}],
    }  # fmt: skip
    story = await tell("2026-01-05T10:00", config)
    purchase = await story.buys("35.00", lines=LINES)
    assert await story.available() == "45"  # 35 + 17, cut to 45
    parts = {
        "a": {"id": "a", "quantity": "0.3"}, "b": {"id": "b", "amount": "0.50"},
        "c": {"id": "a", "quantity": "0.05"},
    }  # fmt: skip

    for part in order:
        await story.brings_back(purchase, parts[part])
    left = await story.available()
    again = await story.buys("35.00", externalId="again")
    await story.brings_back(purchase)
    await story.brings_back(again)

    # 31.00 are left: of 35 points 20 and 15 by line, 3.5 and 0.5 of them come back; of 10 bonus
    # points 6 and 4, of which 1.05 and 0.13 do.
    assert left == "39"
    assert await story.available() == "0"


async def test_a_cap_has_room_again_for_what_came_back(tell: Any) -> None:
    keys = {"caps": [{"points": "40", "period": "year"}], "limits": [{"times": 2, "period": "day"}]}
    story = await tell("2026-01-05T10:00", _config(**keys))
    first = await story.buys("35.00", lines=LINES)
    await story.buys("20.00")
    assert await story.available() == "40"
    third = await story.buys("20.00")
    assert third["earned"] == []

    await story.brings_back(first)

    assert await story.available() == "5"
    fourth = await story.buys("50.00")
    assert [one["amount"] for one in fourth["earned"]] == ["35"]
    assert (await story.why(fourth))[0]["cutBy"] == "RULE_CAP"


async def test_a_correction_has_the_room_that_its_first_version_used(tell: Any) -> None:
    keys = {"caps": [{"points": "40", "period": "year"}], "limits": [{"times": 1, "period": "day"}]}
    story = await tell("2026-01-05T10:00", _config(**keys))
    await story.buys("35.00", externalId="o-1")
    await story.comes("2026-02-20T10:00")

    corrected = await story.buys("38.00", externalId="o-1", revision=2)

    assert [one["amount"] for one in corrected["earned"]] == ["38"]
    assert await story.available() == "38"
    later = await story.buys("38.00")
    assert [one["amount"] for one in later["earned"]] == ["2"]
