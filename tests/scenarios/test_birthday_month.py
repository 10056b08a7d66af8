"""Points count double in the month of the birthday, whichever way the brand writes the day."""

from typing import Any

import pytest

from tests.graphql.brand import POINTS

BASE: dict[str, Any] = POINTS["rules"][0]  # type: ignore[index]
DOUBLE = {
    "id": "birthday", "label": "Double in your month", "accounting_class": "MARKETING",
    "bonus": {"factor": "2"}, "when": "member.birthday_month == local.month",
}  # fmt: skip


@pytest.mark.parametrize("birthday", ["1990-03-31", "03-01"])
async def test_double_points_in_the_month_of_the_birthday(tell: Any, birthday: str) -> None:
    story = await tell("2026-02-28T23:59", {"unit": "points", "rules": [BASE, DOUBLE]})
    unknown = await story.buys("10.00")
    await story.is_known(birthday=birthday)
    before = await story.buys("10.00")
    await story.comes("2026-03-01T00:00")
    within = await story.buys("10.00")
    await story.comes("2026-03-31T23:59")
    last = await story.buys("10.00")
    await story.comes("2026-04-01T00:00")
    after = await story.buys("10.00")

    single = {"1 point per dollar": "10"}
    double = {**single, "Double in your month": "10"}
    assert [story.given(one) for one in (unknown, before, within, last, after)] == [
        single, single, double, double, single,
    ]  # fmt: skip
