"""What returns settle beside the shares of their lines, in a back-test's figures."""

from typing import Any

from tests.kernel.conftest import POINTS_CONFIG

from .test_comparing import RULE, sold


async def test_what_a_return_settles_is_given_no_further_time(world: Any, bench: Any) -> None:
    """The second purchase reaches 500, and the first comes back: 10 go by its line, 480 beside."""
    levels = [{"from": "10", "points": "10"}, {"from": "50", "points": "500"}]
    rule: dict[str, Any] = {**RULE, "levels": levels, "over": {"period": "month"}}
    del rule["points"]
    ann = await world.member("ann")
    world.pass_time(days=45)
    bought = [sold(world, ann, ("tea", 3_000), at=f"2026-02-0{day}T10:00:00-05:00")
              for day in (1, 2)]  # fmt: skip
    for purchase in bought:
        await world.record(purchase)
    await world.record(world.back(bought[0]))
    side, _ = await bench.walk(world, draft={**POINTS_CONFIG, "rules": [rule]})
    tally = side.tally
    assert [(of.times, of.net) for of in tally.rules.values()] == [(2, 10)]
    assert [(of.times, of.net) for of in tally.months.values()] == [(2, 10)]
    assert {key[1]: (of.times, of.net) for key, of in tally.categories.items()} == {
        "tea": (2, 490), "": (0, -480),
    }  # fmt: skip
