"""The North Face XPLR Pass: each 100 points become 10 dollars in issuing windows, within limits."""

from typing import Any

import pytest

WINDOWS = """
query($program: String!) { issuingWindows(program: $program) {
    issuing day opensAt unit closed members amount } }
"""
REWARDS = {
    "id": "rewards",
    "label": "XPLR reward",
    "windows": ["03-15", "07-15", "11-15"],
    "unit": "rewards",
    "step": "100",
    "gives": "10.00",
    "max_per_window": "50.00",
    "max_per_year": "150.00",
    "lifetime": {"span": "P11M"},
}
XPLR = {
    "unit": "points",
    "rules": [
        {
            "id": "spend",
            "label": "1 point per dollar",
            "accounting_class": "MATERIAL_RIGHT",
            "points": "1",
            "per": {"USD": "1.00"},
        }
    ],
    "issuing": [REWARDS],
}


@pytest.fixture
def xplr(tell: Any) -> Any:
    async def begin(at: str, **limits: Any) -> Any:
        config = {**XPLR, "issuing": [REWARDS | limits]}
        return await tell(at, config, units={"rewards": 2})

    return begin


async def test_a_window_takes_full_steps_and_the_rest_is_carried(xplr: Any) -> None:
    """XP-1: 740 points => $50 issued, 500 burned, 240 carried; then $20, 40 carried."""
    story = await xplr("2026-01-10T12:00")
    await story.buys("640.00")
    await story.adjusts("100")  # what activities gave, capped at 100 a year

    await story.comes("2026-03-15T00:00")
    assert (await story.available(), await story.available("rewards")) == ("240", "50.00")
    [deadline] = (await story.has("rewards"))["expiries"]
    assert deadline == {"at": "2027-02-15T05:00:00Z", "amount": "50.00"}

    await story.comes("2026-07-15T09:00")
    assert (await story.available(), await story.available("rewards")) == ("40", "70.00")
    await story.comes("2026-11-15T09:00")
    assert (await story.available(), await story.available("rewards")) == ("40", "70.00")

    burned = [e["amount"] for e in await story.statement() if e["kind"] == "BURN"]
    assert burned == ["-500", "-200"]
    given = [(e["rule"], e["amount"]) for e in await story.statement("rewards")]
    assert given == [("points/rewards", "50.00"), ("points/rewards", "20.00")]


async def test_admins_see_the_windows_that_come_and_what_was_issued(xplr: Any) -> None:
    story = await xplr("2026-01-10T12:00")
    await story.buys("740.00")
    await story.comes("2026-03-15T00:00")

    data = await story.brand.admin.run(WINDOWS, program="points")

    first, *coming = data["issuingWindows"]
    assert first == {
        "issuing": "rewards", "day": "2026-03-15", "opensAt": "2026-03-15T04:00:00Z",
        "unit": "rewards", "closed": True, "members": 1, "amount": "50.00",
    }  # fmt: skip
    assert [one["day"] for one in coming] == ["2026-07-15", "2026-11-15", "2027-03-15"]
    assert not any(one["closed"] for one in coming)
    assert (await story.brand.admin.run(WINDOWS, program="nobody"))["issuingWindows"] == []


async def test_no_more_than_a_years_limit_in_a_calendar_year(xplr: Any) -> None:
    story = await xplr("2026-01-10T12:00", max_per_year="80.00")
    await story.buys("2000.00")

    issued = []
    for day in ("2026-03-15", "2026-07-15", "2026-11-15", "2027-03-15"):
        await story.comes(f"{day}T01:00")
        issued.append(
            [e["amount"] for e in await story.statement("rewards") if e["kind"] == "GRANT"]
        )

    assert issued[-1] == ["50.00", "30.00", "50.00"]
    assert issued[2] == ["50.00", "30.00"]
    assert await story.available() == "700"


async def test_a_late_worker_judges_by_the_day(xplr: Any) -> None:
    """Nobody worked for months: each window counts what was there on its day, and rewards lived."""
    story = await xplr("2026-01-10T12:00")
    await story.buys("250.00")
    await story.comes("2026-03-20T12:00", swept=False)
    await story.buys("100.00")  # after the window of March, before that of July

    await story.comes("2026-09-01T12:00")

    entries = await story.statement("rewards")
    assert [(e["amount"], e["occurredAt"]) for e in entries] == [
        ("20.00", "2026-03-15T04:00:00Z"),
        ("10.00", "2026-07-15T04:00:00Z"),
    ]
    assert await story.available() == "50"


async def test_points_that_end_after_a_window_do_not_end_before_a_late_worker_came(
    tell: Any,
) -> None:
    config = {**XPLR, "issuing": [REWARDS], "terms": {"lifetime": {"span": "P70D"}}}
    story = await tell("2026-01-10T12:00", config, units={"rewards": 2})
    await story.buys("150.00")  # end on 21 March

    await story.comes("2026-04-01T12:00")

    assert (await story.available(), await story.available("rewards")) == ("0", "10.00")
    kinds = [(e["kind"], e["amount"]) for e in await story.statement()]
    assert kinds == [("GRANT", "150"), ("BURN", "-100"), ("EXPIRE", "-50")]


async def test_a_reward_is_spent_like_points_and_reward_points_are_not_touched(xplr: Any) -> None:
    story = await xplr("2026-01-10T12:00")
    await story.buys("340.00")
    await story.comes("2026-03-15T00:00")

    payload = await story.asks_for("12.50", capture=True, unit="rewards")

    assert payload["userErrors"] == []
    assert (await story.available(), await story.available("rewards")) == ("40", "17.50")


async def test_two_workers_at_once_issue_once(xplr: Any) -> None:
    story = await xplr("2026-01-10T12:00")
    await story.buys("740.00")

    await story.comes("2026-03-15T00:00", workers=2)
    await story.comes("2026-03-15T03:00")

    assert (await story.available(), await story.available("rewards")) == ("240", "50.00")
