"""A rule by which nothing is ever given with what the tenant has: refused in drafts alone."""

from typing import Any

import pytest

from .test_admin_versions import CHECK, CONFIG, back_and_in_no_draft, earned, stored_before

VISIT = {"id": "visit", "label": "A visit", "accounting_class": "MARKETING", "count": "visit"}


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("{rules,0,per}", {"CHF": "1.00"}, "config.rules.0.per"),
        ("{rules,0}", {**VISIT, "points": "0.5"}, "config.rules.0.points"),
    ],
)
async def test_a_rule_that_gives_nothing_here_stays_in_what_is_stored_and_in_no_new_draft(
    make_brand: Any, dsn: Any, path: str, value: Any, field: str
) -> None:
    """The tenant's points have no decimals, and it takes dollars and euros."""
    brand = await make_brand(config=CONFIG)
    await brand.enroll("ada")
    program = await stored_before(brand, dsn, path, value)
    checked = await brand.admin.run(CHECK, config=program["config"])
    assert [one["field"] for one in checked["checkConfig"]["userErrors"]] == [field]
    await back_and_in_no_draft(brand, program, field)
    assert await earned(brand) == []
