"""Purchases that come late: judged by their own day, and listed as what changed a past balance."""

from typing import Any

from tests.graphql.brand import POINTS
from tests.graphql.documents import BALANCE_OF

BASE = POINTS["rules"][0]  # type: ignore[index]
CAPPED = {**BASE, "caps": [{"points": "100", "period": "month"}]}
CONFIG = {"unit": "points", "rules": [CAPPED], "terms": {"lifetime": {"span": "P12M"}}}
LATE = """query($unit: String!, $then: DateTime!, $known: DateTime) {
  member(by: {externalId: "ada"}) {
    lateItems(unit: $unit, asOf: $then, knownAt: $known) {
      amount count items { kind amount rule occurredAt } }
    statement(unit: $unit, first: 10) { edges { node { amount late } } } } }"""


async def test_a_late_purchase_has_the_config_and_the_caps_of_its_day(tell: Any) -> None:
    story = await tell("2026-01-05T10:00", CONFIG)
    brand = story.brand
    await story.comes("2026-01-20T10:00")
    await story.buys("90.00")
    then = story.instant("2026-01-31T23:00").isoformat()
    await story.comes("2026-02-02T10:00")
    await brand.run_program("double", {"unit": "points", "rules": [{**BASE, "id": "more"}]})
    await story.buys("70.00")

    late = await story.buys("30.00", occurredAt=story.instant("2026-01-25T10:00").isoformat())

    # January has 10 left of its 100, and the second program did not run yet.
    assert [one["amount"] for one in late["earned"]] == ["10"]
    assert [(one["program"], one["cutBy"]) for one in await story.why(late)] == [
        ("points", "RULE_CAP")
    ]
    data = (await brand.service.run(LATE, unit="points", then=then))["member"]
    assert data["lateItems"] == {
        "amount": "10", "count": 1,
        "items": [{
            "kind": "GRANT", "amount": "10", "rule": "points/base",
            "occurredAt": "2026-01-25T15:00:00Z",
        }],
    }  # fmt: skip
    lines = [edge["node"] for edge in data["statement"]["edges"]]
    assert [(one["amount"], one["late"]) for one in lines] == [
        ("10", True), ("70", False), ("70", False), ("90", False),
    ]  # fmt: skip
    known, now = [
        (await brand.service.run(
            BALANCE_OF, by={"externalId": "ada"}, unit="points", asOf=then, knownAt=at
        ))["member"]["balance"]["available"]
        for at in (then, None)
    ]  # fmt: skip
    assert (known, now) == ("90", "100")
