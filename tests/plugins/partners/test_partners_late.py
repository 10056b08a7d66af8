"""Facts of outside brands that come late: of the day they happened in, of a month still open."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.plugins.partners.test_partners_issuing import make_stall
from tests.plugins.partners.test_partners_settlement import JANUARY, lines, money, stated

__all__ = ["make_stall"]


@pytest.mark.parametrize("cap", ["perMemberPerDay", "perDay"])
async def test_a_late_fact_counts_to_its_own_day(make_stall: Any, cap: str) -> None:
    """What was given since does not count against it, nor it against today."""
    stall = await make_stall(**{cap: "15"})
    await stall.shop.brand.enroll("ann")
    yesterday = stall.shop.brand.now()
    stall.shop.brand.clock.advance(timedelta(days=1))
    await stall.give("ann", "45.00")
    assert await stall.refused("ann", "3.00") == "LIMIT_REACHED"
    await stall.give("ann", "45.00", occurredAt=yesterday)
    assert await stall.refused("ann", "3.00", occurredAt=yesterday) == "LIMIT_REACHED"


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ("2026-03-08T04:59:59Z", "2026-03-08T05:00:00Z", None),  # midnight in New York
        ("2026-03-08T05:00:00Z", "2026-03-09T03:59:59Z", "LIMIT_REACHED"),  # of 23 hours
        ("2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z", None),
    ],
)
async def test_a_day_is_the_tenants(
    make_stall: Any, first: str, second: str, code: str | None
) -> None:
    stall = await make_stall(perMemberPerDay="15")
    await stall.shop.brand.enroll("ann")
    stall.shop.brand.clock.at = datetime(2026, 3, 10, tzinfo=UTC)
    await stall.give("ann", "45.00", occurredAt=first)
    fact = stall.fact("ann", "3.00", occurredAt=second)
    told = await stall.shop.asked("recordPartnerFact", stall.key, **fact)
    assert [one["code"] for one in told["userErrors"]] == ([code] if code else [])


async def test_after_its_month_was_stated_it_is_of_the_next(make_stall: Any) -> None:
    """What was agreed on and paid stays what it was; nothing is lost, and nothing paid twice."""
    stall = await make_stall(perMemberPerDay="1100")
    shop, agreement = stall.shop, stall.agreement
    await shop.brand.enroll("ann")
    then = shop.brand.now()
    await stall.give("ann", "3000.00")
    shop.brand.clock.at = datetime(2026, 2, 2, tzinfo=UTC)
    proposed = await shop.done("proposeStatement", agreement=agreement, period=JANUARY)
    which = {"statement": proposed["statement"]["id"]}
    await shop.done("agreeStatement", stall.key, **which)

    await stall.give("ann", "300.00", occurredAt=then)
    assert await stall.refused("ann", "3.00", occurredAt=then) == "LIMIT_REACHED"  # of that day
    paid = (await shop.done("settleStatement", **which, paymentRef="B-1"))["statement"]

    assert paid["net"] == "12.00"
    assert [(one["at"], one["amount"]) for one in await lines(shop, agreement)][1:2] == [
        ("2026-02-01T00:00:00Z", "1.20")
    ]
    assert money(await stated(shop, agreement, "2026-02")) == [
        "12.00", "1.20", "0.00", "-12.00", "0.00", "1.20",
    ]  # fmt: skip
    assert await shop.balance("ann") == 1_100
