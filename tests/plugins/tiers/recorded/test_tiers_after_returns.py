"""A tier is kept by what stayed bought, also where a return takes what another purchase has."""

from typing import Any

from tests.plugins.tiers.recorded.conftest import POINTS, RULE, Begin, step

MILE: dict[str, Any] = {
    **RULE, "id": "mile", "points": "500", "per": {"USD": "1000.00"}, "whole_steps": True,
    "over": {"period": "lifetime"},
}  # fmt: skip


async def test_what_a_return_takes_of_this_year_is_no_point_of_this_year(club: Begin) -> None:
    """The 500 of 600.00 and 600.00 are of 2026, and their taking is counted in 2025: with the next
    500 they make a tier of 1,000 for who has 500."""
    begun = await club(
        "2025-12-01T12:00", metrics=[POINTS | {"rules": ["mile"]}], rules=[MILE],
        period={"kind": "calendar"}, tiers=[step("none"), step("gold", {"points": "1000"})],
    )  # fmt: skip
    ada = await begun.world.member()
    first = await begun.buys(ada, "600.00")
    await begun.comes("2026-01-10T12:00")
    second = await begun.buys(ada, "600.00")
    for one in (first, second):
        await begun.world.record(begun.world.back(one))
    assert await begun.points(ada) == 0
    await begun.buys(ada, "1000.00")
    assert await begun.points(ada) == 1_500
    assert await begun.tier(ada) == ""
