"""Points that are earned on some days and used on others, such as cash for the next visit."""

from typing import Any

from tests.graphql.brand import POINTS

BASE: dict[str, Any] = POINTS["rules"][0]  # type: ignore[index]
CASH = {
    **BASE, "id": "cash", "label": "10 for each 50 dollars", "accounting_class": "MARKETING",
    "points": "10", "per": {"USD": "50.00"}, "whole_steps": True,
    "effective": {"starts": "2026-11-20", "ends": "2026-11-29"},
    "terms": {"usable_from": "2026-12-05", "usable_through": "2026-12-15"},
}  # fmt: skip
LIVING = {"span": "P12M", "extended_by": {"purchases": True}}
CONFIG = {"unit": "points", "rules": [BASE, CASH], "terms": {"lifetime": LIVING}}


async def test_cash_of_november_is_used_in_december(tell: Any) -> None:
    story = await tell("2026-11-20T10:00", CONFIG)
    bought = await story.buys("149.99")
    assert story.given(bought) == {"1 point per dollar": "149", "10 for each 50 dollars": "20"}
    cash = bought["earned"][1]
    assert (cash["availableAt"], cash["expiresAt"]) == (
        "2026-12-05T05:00:00Z", "2026-12-16T05:00:00Z",
    )  # fmt: skip

    await story.comes("2026-12-04T23:59")
    assert ((await story.has())["available"], (await story.has())["pending"]) == ("149", "20")
    await story.comes("2026-12-05T00:00")
    assert await story.available() == "169"
    await story.redeems("5", capture=True)
    # What lets the other points live on does not move the day.
    await story.comes("2026-12-15T23:59")
    assert story.given(await story.buys("60.00")) == {"1 point per dollar": "60"}
    assert await story.lots() == [("2026-12-16", "15"), ("2027-12-15", "209")]
    await story.comes("2026-12-16T00:00")
    assert await story.available() == "209"


async def test_goods_that_come_back_take_the_cash_along(tell: Any) -> None:
    story = await tell("2026-11-20T10:00", CONFIG)
    lines = [{"id": "coat", "amount": "100.00"}, {"id": "hat", "amount": "50.00"}]
    bought = await story.buys("150.00", lines=lines)

    returned = await story.brings_back(bought, {"id": "hat", "quantity": "1"})

    taken = {one["rule"]: one["amount"] for one in returned["takenBack"]}
    assert taken == {"points/base": "50", "points/cash": "10"}
    assert ((await story.has())["available"], (await story.has())["pending"]) == ("100", "20")


async def test_a_purchase_that_is_heard_of_late_gives_what_has_ended(tell: Any) -> None:
    story = await tell("2026-11-20T10:00", CONFIG)
    await story.comes("2026-12-20T10:00")

    late = await story.buys("50.00", occurredAt=story.instant("2026-11-25T10:00").isoformat())

    assert story.given(late) == {"1 point per dollar": "50", "10 for each 50 dollars": "10"}
    await story.comes("2026-12-20T10:01")
    assert await story.available() == "50"
