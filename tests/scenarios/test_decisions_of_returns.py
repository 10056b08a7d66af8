"""What the decisions of a return say: what was given and taken, and nothing that only counters
heed."""

from typing import Any

from tests.graphql.brand import POINTS

BASE: dict[str, Any] = POINTS["rules"][0]  # type: ignore[index]
MONTH: dict[str, Any] = {"over": {"period": "month"}}
TWO = [{"id": "1", "amount": "6.00"}, {"id": "2", "amount": "6.00"}]
LEVELS = [{"from": "3", "points": "5"}, {"from": "20", "points": "40"}]
ENTRIES = """query { member(by: {externalId: "ada"}) { statement(unit: "points", first: 100) {
  edges { node { kind amount decisions { wanted granted fired } } } } } }"""


async def said(story: Any) -> list[tuple[str, str, list[Any]]]:
    """Of each line of the statement, newest first, what the decisions of its rule gave of what."""
    data = await story.brand.admin.run(ENTRIES)
    lines = [edge["node"] for edge in data["member"]["statement"]["edges"]]
    return [
        (line["kind"], line["amount"],
         [(one["wanted"], one["granted"], one["fired"]) for one in line["decisions"]])
        for line in lines
    ]  # fmt: skip


async def counted(story: Any, name: str) -> list[int]:
    """What decisions keep for counters alone."""
    database = story.brand.server.services.api.database
    async with database.tenant(story.brand.tenant_id, read_only=True) as connection:
        rows = await connection.fetch("select body -> 'grants' as grants from loyalty.decision")
    found = [row for kept in rows for row in kept["grants"] or ()]
    return sorted(row[name] for row in found if name in row)


async def test_a_use_that_is_counted_again_is_no_rule_that_did_not_fire(tell: Any) -> None:
    """The point stays with the line that stays: it goes and is given again, and is one use."""
    rule = {**BASE, "per": {"USD": "10.00"}, "limits": [{"times": 1, "period": "month"}], **MONTH}
    story = await tell("2026-01-05T10:00", {"unit": "points", "rules": [rule]})
    await story.buys("5.00")
    order = await story.buys("12.00", lines=TWO)
    await story.brings_back(order, {"id": "1", "amount": "6.00"})

    assert await counted(story, "uses") == [1]
    assert await said(story) == [
        ("GRANT", "1", [("1", "1", True)]),
        ("TAKE_BACK", "-1", [("1", "1", True)]),
        ("GRANT", "1", [("1", "1", True)]),
    ]


async def test_what_is_counted_on_another_day_is_none_either(tell: Any) -> None:
    rule = BASE | {"levels": LEVELS, "over": {"period": "year"}}
    del rule["points"]
    cap = {"points": "100", "period": "month", "per": "program"}
    story = await tell("2026-03-10T12:00", {"unit": "points", "rules": [rule], "caps": [cap]})
    first = await story.buys("20.00")
    await story.brings_back(first, {"id": "1", "amount": "1.00"})
    await story.comes("2026-04-11T12:00")
    second = await story.buys("1.00")
    await story.brings_back(first)
    await story.brings_back(second)

    assert await counted(story, "more") == [-33, 33]
    assert [one[2] for one in await said(story)] == [
        [("-2", "-2", False)],
        [("-2", "-2", False)],
        [("35", "35", True)],
        [("-33", "-33", False)],
        [("-33", "-33", False)],
        [("40", "40", True)],
    ]
