"""What comes late changes what others were told of the time since then."""

from datetime import UTC, datetime, timedelta

from loyalty_tiers.foretelling import BEHIND_MAX
from tests.plugins.tiers.slope import Slope

SPEND = {"id": "spend", "label": "Spend", "count": "spend", "currency": "USD"}
MONTHLY = {
    "metrics": [SPEND, SPEND | {"id": "ever", "label": "Ever", "over": {"kind": "lifetime"}}],
    "tiers": [
        {"id": "basic", "label": "Basic"},
        {"id": "silver", "label": "Silver", "qualify": [{"needs": {"spend": "10"}}]},
        {"id": "gold", "label": "Gold", "qualify": [{"needs": {"spend": "20"}}]},
        {"id": "palace", "label": "Palace", "lifetime": [{"needs": {"ever": "5000"}}]},
    ],
    "period": {"kind": "calendar", "months": 1},
}
MONTHS = [datetime(2020 + at // 12, at % 12 + 1, 5, 12, tzinfo=UTC) for at in range(60)]


def test_what_comes_late_holds_after_sixty_renewals() -> None:
    slope = Slope(MONTHLY)
    for month in MONTHS:
        slope.comes(month)
        slope.buys(10, month)
    standing, now = slope.standing, MONTHS[-1]
    assert standing is not None
    assert (standing.tier, standing.since) == ("silver", MONTHS[0])
    # It remembers so many renewals, and the ends of this month and of the next one.
    assert len(standing.plan) == BEHIND_MAX + 2
    slope.buys(10, now - timedelta(days=20))  # twenty last month: gold through this one
    assert [slope.tier(at) for at in (now, datetime(2025, 1, 2, tzinfo=UTC))] == ["gold", "silver"]
    slope.buys(5_000, MONTHS[1])  # before all that it remembers
    assert [slope.tier(at) for at in (now, now + timedelta(days=900))] == ["palace", "palace"]
