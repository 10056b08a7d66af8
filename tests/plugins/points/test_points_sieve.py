"""Rules that are not judged because a fact gets nothing out of them: nobody can tell."""

import gc
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.purchase import Line, LineKind
from loyalty_earning.sieve import LeftIn, Sieve
from tests.plugins.points.till import ADA, Till, program, rule

CONDITIONS = (
    'purchase.total > amount("20.00")', 'purchase.currency == "USD"', "local.hour < 12 // early",
    '"coffee" in purchase.categories', 'member.tier == "gold"', "size(purchase.brands) > 1",
    "100 / purchase.discount > 2", 'member.attributes["vip"] == true',
    'purchase.lines[1].attributes.season == "winter"', 'choice.track == "fast"',
)  # fmt: skip
SELECTIONS: tuple[dict[str, Any], ...] = (
    {"brands": ["acme"]}, {"categories": ["coffee"]}, {"categories": ["coffee/beans", "garden"]},
    {"skus": ["s1"], "brands": ["house"]}, {"attributes": {"season": ["winter"]}},
    {"choice": "bonus"},
)  # fmt: skip
CHOICES = [
    {"id": "track", "label": "Track", "default": ["fast"],
     "options": [{"id": "fast", "label": "Fast"}, {"id": "slow", "label": "Slow"}]},
    {"id": "bonus", "label": "Bonus", "default": ["c"],
     "options": [{"id": "c", "label": "C", "categories": ["coffee"]}]},
]  # fmt: skip
STEPS = [{"from": "0", "points": "1"}, {"from": "10", "points": "3"}]


@st.composite
def rates(draw: st.DrawFn) -> dict[str, Any]:
    """What a rule gives; `points` of "0" where only some lines earn."""
    match draw(st.integers(0, 7)):
        case 0:
            return {"bonus": {"factor": "1.5", "of": draw(st.sampled_from(["base", "granted"]))}}
        case 1:
            prizes = [{"points": "5", "weight": "1"}]
            return {"count": "visit",
                    "chance": {"odds": "o1", "probability": "0.5", "prizes": prizes}}  # fmt: skip
        case 2:
            return {"points": "3", "count": draw(st.sampled_from(["visit", "quantity"]))}
        case 3:
            return {draw(st.sampled_from(["levels", "brackets"])): STEPS}
        case 4:
            return {"points": "0", "rates": [{"brands": ["acme"], "points": "2"}]}
        case 5:
            return {"points": "2", "per": {"EUR": "1.00"}}
        case _:
            paths = draw(st.lists(st.sampled_from(["coffee", "coffee/beans", "garden"]),
                                  min_size=1, unique=True))  # fmt: skip
            some = {one: draw(st.sampled_from(["0", "0.5", "2"])) for one in paths} | {"tea": "1"}
            categories = [{"category": one, "points": rate} for one, rate in some.items()]
            return {"points": draw(st.sampled_from(["0", "1"])), "categories": categories}


@st.composite
def rules(draw: st.DrawFn, at: int) -> dict[str, Any]:
    keys = draw(rates())
    plain = not {"bonus", "chance", "count"} & keys.keys()
    some: dict[str, Any] = {
        "when": st.sampled_from(CONDITIONS),
        "include": st.sampled_from(SELECTIONS), "exclude": st.sampled_from(SELECTIONS),
        "effective": st.sampled_from([{"starts": "2026-03-12"}, {"ends": "2026-03-11"}]),
        "limits": st.just([{"times": 1, "period": "day"}]),
        "kinds": st.just(["SHIPPING", "PRODUCT"]),
    }  # fmt: skip
    if plain:
        some["minimum_purchase"] = st.just(dict.fromkeys(keys.get("per", {"USD": "1"}), "15.00"))
        some["over"] = st.just({"period": "month"})
        some["promotion"] = st.just(True)
    for name in draw(st.lists(st.sampled_from([*some]), max_size=3, unique=True)):
        keys[name] = draw(some[name])
    if any("choice" in keys.get(name, ()) for name in ("include", "exclude")):
        keys.pop("over", None)  # it adds up what is the same for every member
    if draw(st.integers(0, 2)) == 0:
        extra = bool(keys.get("promotion") or "bonus" in keys)
        group = draw(st.sampled_from(["best", "first"]))
        keys |= {"group": f"{group}-{'extra' if extra else 'base'}", "priority": 100 - at}
    return rule(f"r{at}", **keys)


@st.composite
def programs(draw: st.DrawFn) -> dict[str, Any]:
    groups = [{"id": f"{one}-{what}", "grants": one}
              for one in ("best", "first") for what in ("base", "extra")]  # fmt: skip
    drawn = [draw(rules(at)) for at in range(draw(st.integers(2, 12)))]
    return program(*drawn, currency="USD", groups=groups, choices=CHOICES)


@st.composite
def baskets(draw: st.DrawFn) -> tuple[Line, ...]:
    return tuple(
        Line(
            id=str(at), amount=draw(st.integers(0, 30_00)), quantity=2_000,
            category=draw(st.sampled_from([None, "coffee", "coffee/beans", "garden", "tea"])),
            brand=draw(st.sampled_from([None, "acme", "house"])),
            sku=draw(st.sampled_from([None, "s1", "s2"])),
            kind=draw(st.sampled_from([LineKind.PRODUCT, LineKind.PRODUCT, LineKind.SHIPPING])),
            attributes=draw(st.sampled_from([{}, {"season": "winter"}])),
        )
        for at in range(draw(st.integers(0, 4)))
    )  # fmt: skip


def told(till: Till) -> Any:
    """The decision, but for the ids of lots."""
    body = orjson.loads(orjson.dumps(dict(till.body)))
    for grant in body["grants"]:
        grant.pop("lot", None)
    return body


@settings(max_examples=150, deadline=None)
@given(config=programs(), data=st.data())
def test_decisions_are_those_that_judging_every_rule_comes_to(
    config: dict[str, Any], data: st.DataObject
) -> None:
    sifted, whole = Till(config), Till(config)
    for till in (sifted, whole):
        till.says("club.tier", "gold")
    for hour, lines in enumerate(data.draw(st.lists(baskets(), min_size=1, max_size=4))):
        more: dict[str, Any] = {
            "currency": data.draw(st.sampled_from(["USD", "USD", "EUR", "HKD"]))
        }
        at = f"2026-03-{data.draw(st.integers(11, 12))}T{hour + 10}:00"
        sifted.comes(at)
        whole.comes(at)
        sifted.buys(*lines, **more)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Sieve, "left", _all_of_them)
            whole.buys(*lines, **more)
        assert told(sifted) == told(whole)
        assert sifted.batch.counted == whole.batch.counted


def _all_of_them(self: Sieve, occasion: Any) -> LeftIn:
    config, subject = occasion.config, occasion.subject
    return LeftIn(config.base_rules(subject), config.promotions(subject))


def test_a_group_is_judged_where_its_first_rule_stands_also_where_that_gives_nothing() -> None:
    till = Till(program(
        rule("silent", include={"brands": ["other"]}, group="g", priority=1),
        rule("alone"), rule("second", include={"brands": ["acme"]}, group="g", priority=2),
        groups=[{"id": "g", "grants": "first"}],
    ))  # fmt: skip
    till.buys(Line(id="1", amount=10_00, brand="acme"))
    assert [grant["rule"] for grant in till.body["grants"]] == ["second", "alone"]


def test_a_decision_keeps_what_rules_read_that_give_nothing() -> None:
    """Who asks later why they gave nothing is answered from that."""
    till = Till(program(
        rule("a", when='member.tier == "gold"', include={"brands": ["acme"]}),
        rule("b", when="purchase.total > 0", include={"brands": ["house"]}),
        rule("c", when='member.attributes["vip"] == true', include={"brands": ["x"]}),
    ))  # fmt: skip
    assert till.buys("10.00") == {}
    read = till.body["read"]["club"]
    assert read["traits"] == {"club.tier": None}
    assert read["attributes"] == {"vip": None}


def test_a_decision_keeps_nothing_that_nobody_asked() -> None:
    """A rule that is not in effect does not look at its condition, whoever is asked beside it."""
    till = Till(program(
        rule("later", when='member.tier == "gold"', effective={"starts": "2027-01-01"}),
        rule("a", when="purchase.total > 0"), rule("b", when="purchase.total > 100000"),
    ))  # fmt: skip
    assert till.buys("10.00") == {"a": "10"}
    assert "read" not in till.body


def test_lines_are_alike_only_where_no_list_tells_them_apart() -> None:
    lists: dict[str, dict[str, Any]] = {
        "sku": {"skus": ["s1"]}, "brand": {"brands": ["acme"]}, "path": {"categories": ["coffee"]},
    }  # fmt: skip
    till = Till(program(*(rule(name, include=one) for name, one in lists.items())))
    plain: dict[str, Any] = {"sku": "s2", "brand": "house", "category": "tea"}
    for name, other in {"": {}, "sku": {"sku": "s1"}, "brand": {"brand": "acme"},
                        "path": {"category": "coffee/beans"}}.items():  # fmt: skip
        gave = till.buys(Line(id="1", amount=10_00, **plain | other))
        assert gave == ({name: "10"} if name else {})
    shipped = Line(id="1", amount=10_00, kind=LineKind.SHIPPING, category="coffee")
    assert till.buys(shipped) == {}


def test_settling_leaves_no_circle_to_the_garbage_collector() -> None:
    """Thousands of purchases a second would make it run all the time."""
    till = Till(program(rule(), rule("x", bonus={"factor": "2"}, when='member.tier == ""')))
    till.buys("10.00")
    gc.collect()
    gc.disable()
    try:
        till.buys("10.00")
        assert till.balance() == "40"
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert till.batch.members[ADA].external_id == "ada"
