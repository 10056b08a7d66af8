"""Templates that leave room for a program of tiers: what they give once one says a tier.

No tiers are here: what such a program would say of the member is put there by hand.
"""

from typing import Any

import pytest

from loyalty_points.plugin import plugin
from loyalty_tenants.templates import templates_of
from tests.plugins.points.till import Till

SHIPPED = {template.slug: template for template in templates_of([plugin])}


def shop(slug: str, tier: str = "", **bonus: str) -> Till:
    template = SHIPPED[slug]
    config: dict[str, Any] = dict(template.config)
    config["rules"] = [
        {**rule, "bonus": rule["bonus"] | bonus} if "bonus" in rule and bonus else rule
        for rule in config["rules"]
    ]
    till = Till(config, places={unit.code: unit.places for unit in template.units})
    till.comes("2026-05-20T12:00")
    if tier:
        till.says("club.tier", tier)
    return till


def spendable(till: Till) -> str:
    return till.balance(till.config.unit)


@pytest.mark.parametrize(
    ("tier", "stars"), [("", "10.00"), ("green", "10.00"), ("gold", "12.00"), ("reserve", "17.00")]
)
def test_each_tier_has_its_own_part_and_it_qualifies_for_none(tier: str, stars: str) -> None:
    """SB-5: after the tier came, $10 give 12."""
    till = shop("starbucks-2026", tier)
    till.buys("10.00")
    assert (spendable(till), till.balance("qualifying_stars")) == (stars, "10.00")


@pytest.mark.parametrize(("of", "stars"), [("base", "22.00"), ("granted", "24.00")])
def test_a_double_day_for_gold_adds_or_multiplies(of: str, stars: str) -> None:
    """SB-7, on the first Monday of June."""
    till = shop("starbucks-2026", "gold", of=of)
    till.comes("2026-06-01T12:00")
    till.buys("10.00")
    assert spendable(till) == stars


def test_elite_and_double_miles_are_both_on_flown_miles() -> None:
    """AS-1: with a bonus of 100 %, 500 + 500 + 500, of which 500 count."""
    till = shop("airline-miles", "gold", factor="2")
    till.comes("2026-09-02T12:00")
    till.does("flight", miles=500, fare=120, segments=1)
    assert (spendable(till), till.balance("elite_miles")) == ("1500", "500")


@pytest.mark.parametrize(
    ("track", "counts", "spends"),
    [("distance", "800", "1200"), ("price", "1300", "1950"), ("segments", "500", "750")],
)
def test_gold_has_half_as_much_again_to_spend(track: str, counts: str, spends: str) -> None:
    """AS-5: 800 miles, $260 of fare, 1 segment, by each of the tracks."""
    till = shop("airline-miles", "gold")
    till.says("club.choices", {"track": track})
    till.does("flight", miles=800, fare=260, segments=1)
    assert (till.balance("elite_miles"), spendable(till)) == (counts, spends)
