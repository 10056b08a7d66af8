"""What a draft changes, in exact figures: by rule, month, category and member, and its cost."""

import csv
from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
from pydantic import BaseModel

from loyalty.backtest import history
from loyalty.backtest.chart import chart
from loyalty.backtest.cost import Cost, per_point
from loyalty.backtest.history import History
from loyalty.backtest.naming import name_members
from loyalty.backtest.report import Report, report
from loyalty.backtest.side import Side
from loyalty.backtest.spreadsheet import spreadsheet
from loyalty.backtest.tally import Tally
from loyalty.effects import Grant
from loyalty.errors import Code, Refused
from loyalty.facts import ActivityRecorded, PurchaseRecorded, PurchaseReversed
from loyalty.plugin import Plugin, on
from loyalty.purchase import Line, ReturnedLine
from loyalty.view import View
from loyalty_points.plugin import plugin as points
from tests.kernel.conftest import POINTS_CONFIG

from .conftest import FAR_AHEAD, LONG_AGO

RULE: dict[str, Any] = POINTS_CONFIG["rules"][0]  # type: ignore[index]
DRAFT = {
    **POINTS_CONFIG,
    "rules": [
        {**RULE, "categories": [{"category": "tea", "points": "3"}], "points": "1"},
        {**RULE, "id": "big", "label": "=More", "points": "10", "whole_steps": True,
         "per": {"USD": "20.00"}},
    ],
}  # fmt: skip
PRICE = Cost("points", "USD", "0.01")


def sold(world: Any, who: Any, *lines: tuple[str | None, int], at: str) -> Any:
    return world.purchase(
        who, sum(cents for _, cents in lines), at=datetime.fromisoformat(at),
        lines=[Line(id=f"l{n}", category=c, amount=cents) for n, (c, cents) in enumerate(lines)],
    )  # fmt: skip


@pytest.fixture
async def sides(world: Any, bench: Any) -> tuple[Any, Report]:
    """Ann buys tea and cake in January and returns half of the tea in February; Bob buys bread."""
    ann, bob = await world.member("ann"), await world.member("bob")
    world.pass_time(days=45)
    tea = sold(world, ann, ("tea/green", 1_000), ("cake", 1_500), at="2026-01-31T23:00:00-05:00")
    await world.record(tea)
    await world.record(sold(world, bob, (None, 500), at="2026-02-01T10:00:00-05:00"))
    await world.record(world.back(tea, ReturnedLine(id="l0", quantity=500)))
    published, _ = await bench.walk(world)
    draft, heard = await bench.walk(world, draft=DRAFT)
    prices = {"points": PRICE}
    setup = await bench.setup(world)
    found = report(setup, world.plugins, published, draft, FAR_AHEAD, prices)
    async with world.database.tenant(world.tenant_id, read_only=True) as connection:
        await name_members(connection, found)
    return heard, found


def nets(rows: Any, name: str) -> dict[str, tuple[int, int]]:
    return {
        row[name]: tuple(row[side]["granted"] - row[side]["taken"] for side in row if side in
                         ("published", "draft"))
        for row in rows
    }  # fmt: skip


async def test_every_figure(sides: tuple[Any, Report]) -> None:
    _, found = sides
    (unit,) = found["units"]

    # Published: 25 for Ann (10 tea, 15 cake), 5 for Bob; half of the tea is 5. Draft: 30 + 15 and
    # 10 for one full 20 dollars (4 of it for tea), of which 15 and 2 go back; 5 for Bob.
    assert nets(found["rules"], "rule") == {"points/base": (25, 35), "points/big": (0, 8)}
    assert nets(unit["months"], "month") == {"2026-01": (25, 55), "2026-02": (0, -12)}
    assert nets(unit["categories"], "category") == {"tea": (5, 17), "cake": (15, 21), "": (5, 5)}
    assert [row["category"] for row in unit["categories"]] == ["tea", "cake", ""]
    assert unit["published"] == {"times": 2, "granted": 30, "taken": 5, "cost": 25}
    assert unit["draft"] == {"times": 3, "granted": 60, "taken": 17, "cost": 43}
    members = unit["members"]
    assert (members["better"], members["worse"], members["same"]) == (1, 0, 1)
    (gain,) = members["gain"]
    assert (gain["externalId"], gain["published"], gain["draft"]) == ("ann", 20, 38)
    assert found["facts"] == {"MemberEnrolled": 2, "PurchaseRecorded": 2, "PurchaseReversed": 1}
    assert (found["left_out"], found["failures"], found["loaded"]) == (
        {"published": {}, "draft": {}}, {}, [],
    )  # fmt: skip


async def test_as_a_spreadsheet(sides: tuple[Any, Report]) -> None:
    rows = {(row["part"], row["name"]): row for row in csv.DictReader(StringIO(
        spreadsheet(sides[1])))}  # fmt: skip
    assert rows["total", "points"]["draft_cost"] == "0.43"
    assert rows["rule", "points/big"]["label"] == "'=More", "no formula in anybody's spreadsheet"
    assert rows["member", "ann"]["change_net"] == "18"
    assert rows["category", "(none)"]["published_net"] == "5"


async def test_as_a_chart(sides: tuple[Any, Report]) -> None:
    whole, plain = chart(sides[1]), chart(sides[1], plain=True)
    assert "prefers-color-scheme:dark" in whole
    assert "@media" not in plain
    root = ElementTree.fromstring(whole)
    said = [element.text for element in root.iter() if element.text]
    assert "2026-02 draft: -12" in said
    assert "published: 25 points net of returns" in said
    assert ElementTree.fromstring(chart({**sides[1], "units": [], "rules": []})) is not None


async def test_a_period_begins_and_ends_where_it_says(world: Any, bench: Any) -> None:
    member = await world.member()
    world.pass_time(days=20)
    for day in ("2026-01-10T00:00:00+00:00", "2026-01-11T00:00:00+00:00",
                "2026-01-12T00:00:00+00:00"):  # fmt: skip
        await world.record(sold(world, member, (None, 100), at=day))
    since, before = (datetime.fromisoformat(f"2026-01-{d}T00:00:00+00:00") for d in (11, 12))

    side, _ = await bench.walk(world, since=since, before=before)

    assert side.kinds == {"PurchaseRecorded": 1}
    assert [of.granted for of in side.tally.rules.values()] == [1]


async def test_a_return_of_what_was_bought_before_the_period_is_left_out(
    world: Any, bench: Any
) -> None:
    member = await world.member()
    purchase = world.purchase(member, 1_000)
    await world.record(purchase)
    since = world.clock.now()
    world.pass_time(days=1)
    back: PurchaseReversed = world.back(purchase)
    await world.record(back)

    side, _ = await bench.walk(world, since=since.replace(hour=23))

    assert side.left_out == {"EARLIER_SALE": 1}
    assert not side.tally.rules


class Mood(BaseModel):
    """Nothing to set."""


def moody(config: Mood, purchase: PurchaseRecorded, view: View) -> Iterator[Grant]:
    if purchase.total == mood["bad"]:
        raise ZeroDivisionError("by nothing")
    yield Grant(unit="points", wanted=1, granted=1, rule="mood")


mood = {"bad": 0}
MOODY = Plugin(name="moody", config=Mood, reactions=(on(PurchaseRecorded, Mood, moody),))


async def test_a_rule_that_raises_is_counted_and_nothing_else_is_lost(
    make_world: Any, bench: Any
) -> None:
    world = await make_world(plugins=(points, MOODY))
    await world.run_program("mood", {}, kind="moody")
    member = await world.member()
    for cents in (100, 666, 200):
        await world.record(world.purchase(member, cents))

    mood["bad"] = 666
    side, heard = await bench.walk(world)
    mood["bad"] = 0

    assert side.left_out == {"INTERNAL": 1}
    assert side.failures == {"PurchaseRecorded: ZeroDivisionError: by nothing": 1}
    assert heard.granted.total() == 5  # a point for each of the others, and 1 + 2 per dollar
    assert as_told(side) == side


def as_told(side: Side) -> Side:
    """What another process makes of it: sides are walked in processes of their own."""
    tally = Tally(program=side.tally.program, zone=side.tally.zone, since=side.tally.since)
    return Side.load(orjson.loads(orjson.dumps(side.dump())), tally)


async def test_what_a_draft_refuses_is_counted_by_its_code(world: Any, bench: Any) -> None:
    member = await world.member()
    for shop in ({}, {"shop": "x"}):
        await world.record(
            ActivityRecorded(
                member=member, occurred_at=world.clock.now(), source="app", type="check_in",
                external_id=f"a-{len(shop)}", attributes=shop,
            )
        )  # fmt: skip
    visit = {"type": "check_in", "label": "A visit",
             "attributes": {"type": "object", "required": ["shop"]}}  # fmt: skip
    rule = {"id": "visit", "label": "V", "accounting_class": "MARKETING", "points": "5",
            "activities": ["check_in"], "count": "visit"}  # fmt: skip

    draft = {"unit": "points", "rules": [rule], "activities": [visit]}
    side, heard = await bench.walk(world, draft=draft)

    assert side.left_out == {"BAD_USER_INPUT": 1}
    assert heard.granted.total() == 5
    assert as_told(side) == side


async def test_a_database_that_is_away_for_a_moment_is_asked_again(
    world: Any, bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = await world.member()
    for _ in range(10):
        await world.record(world.purchase(member, 100))
    real, tried = History._read, [0]

    async def away(self: History, after: Any, until: Any) -> Any:
        tried[0] += 1
        if tried[0] in (1, 3, 4):
            raise Refused(Code.UNAVAILABLE, "gone")
        return await real(self, after, until)

    monkeypatch.setattr(history, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(History, "_read", away)
    side, heard = await bench.walk(world, chunk=4)

    assert tried[0] == 7  # 11 facts in chunks of 4, one more that is empty, and three in vain
    assert heard.granted.total() == 10
    assert side.kinds == {"MemberEnrolled": 1, "PurchaseRecorded": 10}


@pytest.mark.parametrize("text", ["", "-1", "1e3", "0.01.", "1/3", "٣", "1000001", "0" * 17])
def test_a_cost_is_a_plain_number(text: str) -> None:
    with pytest.raises(Refused) as refused:
        per_point(text, field="costPerPoint")
    assert (refused.value.code, refused.value.field) == (Code.BAD_AMOUNT, "costPerPoint")


def test_a_cost_is_rounded_once() -> None:
    cost = Cost("points", "USD", "0.005")
    assert (cost.of(1, 0), cost.of(3, 0), cost.of(-1, 0), cost.of(12_345, 2)) == (1, 2, -1, 62)
    assert per_point("0.005", field="x") == "0.005"
    assert LONG_AGO < FAR_AHEAD


async def test_a_draft_carries_over_what_nobody_carried_before(world: Any, bench: Any) -> None:
    ann, bob = await world.member("ann"), await world.member("bob")
    for who, cents, at in (
        (ann, 10_000, "2026-01-10"), (bob, 6_000, "2026-01-11"), (ann, 1_000, "2026-02-10"),
        (bob, 500, "2026-03-20"),
    ):  # fmt: skip
        world.clock.at = datetime.fromisoformat(f"{at}T18:00:00+00:00")
        await world.record(sold(world, who, (None, cents), at=f"{at}T12:00:00-05:00"))
    cap = {"points": "60", "period": "month", "carry_over": True}
    draft, heard = await bench.walk(
        world, draft={**POINTS_CONFIG, "rules": [RULE | {"caps": [cap]}]}
    )

    granted = {(row[0], row[2]): amount for row, amount in heard.granted.items()}
    assert granted == {
        (ann.id, "base"): 70, (ann.id, "base:carried"): 40, (bob.id, "base"): 65,
    }  # fmt: skip
    assert not draft.left_out


async def test_what_was_carried_over_is_named_anew_under_a_draft(world: Any, bench: Any) -> None:
    """The published cap of 60 gave 40 in February; one of 80 gives 20 then, and nothing twice."""
    cap = {"points": "60", "period": "month", "carry_over": True}
    config = {**POINTS_CONFIG, "rules": [RULE | {"caps": [cap]}]}
    await world.run_program("capped", config)
    ann = await world.member("ann")
    for at, cents in (("2026-01-10", 10_000), ("2026-02-02", 100)):
        world.clock.at = datetime.fromisoformat(f"{at}T18:00:00+00:00")
        await bench.worker(world).run_due(world.tenant_id)
        await world.record(sold(world, ann, (None, cents), at=f"{at}T12:00:00-05:00"))

    for most, carried in (("60", 40), ("80", 20)):
        draft = {**config, "rules": [RULE | {"caps": [cap | {"points": most}]}]}
        _, heard = await bench.walk(world, draft=draft, slug="capped")
        rows = {row[1:3]: amount for row, amount in heard.granted.items()}
        assert rows["capped", "base:carried"] == carried
