"""Rules that are not judged because a fact gets nothing out of them: nobody can tell."""

import gc
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.errors import Refused
from loyalty.explained import NOT_KEPT
from loyalty.facts import ActivityRecorded, PurchaseRecorded
from loyalty.json_text import plain
from loyalty.purchase import Line, LineKind
from loyalty.units import format_minor
from loyalty_earning.sieve import LeftIn, Sieve
from tests.plugins.points.till import ADA, Till, program, rule

CONDITIONS = (
    'purchase.total > amount("20.00")', 'purchase.currency == "USD"', "local.hour < 12 // early",
    '"coffee" in purchase.categories', 'member.tier == "gold"', "size(purchase.brands) > 1",
    "100 / purchase.discount > 2", 'member.attributes["vip"] == true',
    'purchase.lines[1].attributes.season == "winter"', 'choice.track == "fast"',
)  # fmt: skip
WHILE_DOING = (
    'activity.type == "flight"', "local.hour < 12", 'member.tier == "silver"', "local.hour > 12",
    "activity.attributes.miles > 20", "activity.attributes.vip == true",
    'member.attributes["vip"] == true', 'choice.track == "fast"',
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
ALSO = [{"unit": "miles"}, {"unit": "stars"}]
STEPS = [{"from": "0", "points": "1"}, {"from": "10", "points": "3"}]

reached: Counter[str] = Counter()
T = TypeVar("T")
Told = TypeVar("Told", PurchaseRecorded, ActivityRecorded)


@st.composite
def rates(draw: st.DrawFn, of_activity: bool) -> dict[str, Any]:
    """What a rule gives; `points` of "0" where only some lines earn."""
    match draw(st.integers(0, 7)):
        case 0:
            return {"bonus": {"factor": "1.5", "of": draw(st.sampled_from(["base", "granted"]))}}
        case 1:
            prizes = [{"points": "5", "weight": "1"}]
            return {"count": "visit",
                    "chance": {"odds": "o1", "probability": "0.5", "prizes": prizes}}  # fmt: skip
        case 2:
            counts = ["visit"] if of_activity else ["visit", "quantity"]
            return {"points": "3", "count": draw(st.sampled_from(counts))}
        case _ if of_activity:
            rate = draw(st.sampled_from(["points", "levels", "brackets"]))
            keys = {"count": "attribute", "attribute": "miles", "per_units": "10"}
            return keys | {rate: "1" if rate == "points" else STEPS}
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
    of_activity = draw(st.booleans())
    keys = draw(rates(of_activity))
    some: dict[str, Any] = {
        "when": st.sampled_from(WHILE_DOING if of_activity else CONDITIONS),
        "effective": st.sampled_from([{"starts": "2026-03-12"}, {"ends": "2026-03-11"}]),
        "limits": st.just([{"times": 1, "period": "day"}]),
        "caps": st.just([{"points": "7", "period": "day"}]),
    }
    if of_activity:
        keys["activities"] = draw(st.sampled_from([["flight"], ["flight", "check_in"]]))
    else:
        some |= {
            "include": st.sampled_from(SELECTIONS), "exclude": st.sampled_from(SELECTIONS),
            "kinds": st.just(["SHIPPING", "PRODUCT"]),
        }  # fmt: skip
    if not {"bonus", "chance"} & keys.keys():
        some["promotion"] = st.just(True)
        some["over"] = st.just({"period": "month"})
        if not of_activity and "count" not in keys:
            least = dict.fromkeys(keys.get("per", {"USD": "1"}), "15.00")
            some["minimum_purchase"] = st.just(least)
            some["minimum_lost"] = st.just("recompute")
    if "bonus" not in keys:
        some["also"] = st.sampled_from([ALSO, ALSO[:1]])
    likely = [name for name in ("when", "over", "also") if name in some]
    for name in draw(st.lists(st.sampled_from([*some, *likely]), max_size=4, unique=True)):
        keys[name] = draw(some[name])
    if not of_activity and "over" in some and draw(st.booleans()):  # a return settles these
        keys |= {"over": {"period": "month"}, "points": "0.3"}
        for name in ("caps", "levels", "brackets"):
            keys.pop(name, None)
    if of_activity and draw(st.booleans()):  # such as are asked together
        keys["when"] = draw(st.sampled_from(WHILE_DOING[:4]))
        keys.pop("effective", None)
    if "minimum_purchase" not in keys:
        keys.pop("minimum_lost", None)
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
    caps = draw(st.sampled_from([[], [], [{"points": "15", "period": "month"}]]))
    return program(*drawn, currency="USD", groups=groups, choices=CHOICES, caps=caps)


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
        for at in range(draw(st.sampled_from([3, 2, 4, 1, 0])))
    )  # fmt: skip


class Both:
    """Two tills to which the same is told; one of them judges every rule."""

    def __init__(self, config: dict[str, Any]) -> None:
        places = {"miles": 2, "stars": 0}
        self.sifted, self.whole = (Till(config, places=places) for _ in range(2))
        self.bought: list[PurchaseRecorded] = []
        for till in (self.sifted, self.whole):
            till.says("club.tier", "gold")

    def each(self, tell: Callable[[Till], T]) -> T:
        """Let both do the same, and compare what came of it; answers what it came to."""
        told = tell(self.sifted)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Sieve, "left", _all_of_them)
            assert tell(self.whole) == told
        assert self.sifted.batch.counted == self.whole.batch.counted
        for unit in ("points", "miles", "stars"):
            assert self.sifted.balance(unit) == self.whole.balance(unit)
        return told

    def happens(self, make: Callable[[Till], Told]) -> Told:
        """It is previewed, and recorded, and both are explained."""
        fact = self.each(make)
        preview = self.each(lambda till: _plain(till.would_get(fact)))
        self._explains(fact, preview, preview=True)
        left = len(_left_in(self.sifted, fact))
        self.each(lambda till: (till.tells(fact), _plain(till.body))[1])
        body = _plain(self.sifted.body)
        self._explains(fact, body, preview=False)
        rules = self.sifted.config.rules
        about = None if isinstance(fact, PurchaseRecorded) else fact.type
        left_out = sum(about in (one.activities or (None,)) for one in rules) - left
        reached["left out"] += left_out
        reached["left out of an activity"] += left_out if about else 0
        reached["activity"] += bool(about and body["grants"])
        reached["also"] += any(row["unit"] != "points" for row in body["grants"])
        reached["cut"] += any("cutBy" in row and row["granted"] for row in body["grants"])
        reached["by chance"] += "byChance" in preview
        return fact

    def _explains(self, fact: Told, body: dict[str, Any], *, preview: bool) -> None:
        """An explanation judges every rule: those that fire are those that were left and gave."""
        told = self.each(lambda till: till.says_why(fact, body, preview=preview))
        gave = {row["rule"] for row in body["grants"] if row["wanted"]}
        assert {one.rule for one in told if one.fired} == gave
        assert not [one for one in told if one.reason == NOT_KEPT]
        reached["explained"] += len(told) - len(gave)

    def comes(self, at: str) -> None:
        self.sifted.comes(at)
        self.whole.comes(at)

    def does(self, kind: str, attributes: dict[str, Any]) -> None:
        self.happens(lambda till: till.an_activity(kind, **attributes))

    def buys(self, lines: Sequence[Line], currency: str) -> None:
        self.bought.append(self.happens(lambda till: till.a_purchase(*lines, currency=currency)))

    def brings_back(self, which: int) -> None:
        """All of some purchase, or half of one of its lines."""
        one = self.bought[which % len(self.bought)]
        lines = {}
        if one.lines and which % 3:
            line = one.lines[which % len(one.lines)]
            lines[f"_{line.id}"] = format_minor((line.amount + 1) // 2, 2)

        def tell(till: Till) -> Any:
            try:
                till.brings_back(one.external_id, **lines)
            except Refused as refused:
                return refused.code
            return _plain(till.body)

        told = self.each(tell)
        if isinstance(told, dict):
            reached["returned"] += bool(told["taken"])
            reached["settled"] += bool(told["grants"])


def _plain(body: Any) -> Any:
    """The decision, but for ids."""
    found = orjson.loads(orjson.dumps(dict(body), default=plain))
    found.pop("sale", None)
    for grant in found.get("grants", ()):
        grant.pop("lot", None)
    return found


def _left_in(till: Till, fact: Told) -> Sequence[Any]:
    """The rules that the sieve lets through."""
    seen: list[Any] = []
    let = Sieve.left

    def left(self: Sieve, occasion: Any) -> LeftIn:
        found: LeftIn = let(self, occasion)
        seen[:] = [*found.base, *found.promotions]
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sieve, "left", left)
        till.would_get(fact)
    return seen


def _all_of_them(self: Sieve, occasion: Any) -> LeftIn:
    config, subject = occasion.config, occasion.subject
    return LeftIn(config.base_rules(subject), config.promotions(subject))


STEP = st.tuples(
    st.sampled_from(["buy", "buy", "do", "do", "return", "return"]), baskets(),
    st.sampled_from(["USD", "USD", "EUR", "HKD"]), st.sampled_from(["flight", "check_in"]),
    st.sampled_from([{}, {"miles": 25}, {"miles": "180.5", "vip": True}, {"miles": "far"}]),
    st.integers(0, 99),
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(programs(), st.lists(STEP, min_size=3, max_size=9), st.sampled_from([11, 12]))
def test_decisions_are_those_that_judging_every_rule_comes_to(
    config: dict[str, Any], steps: list[Any], day: int
) -> None:
    """Grants, counters, what is kept, previews, explanations, and what returns take and settle."""
    both = Both(config)
    for hour, (what, lines, currency, kind, attributes, which) in enumerate(steps):
        both.comes(f"2026-03-{day}T{hour + 10}:00")
        if what == "do":
            both.does(kind, attributes)
        elif what == "buy" or not both.bought:
            both.buys(lines, currency)
        else:
            both.brings_back(which)


@pytest.mark.parametrize(
    ("situation", "floor"),
    [("left out", 250), ("left out of an activity", 80), ("activity", 70), ("also", 40),
     ("cut", 10), ("by chance", 40), ("explained", 2000), ("returned", 30), ("settled", 5)],
)  # fmt: skip
def test_the_interesting_situations_were_reached(situation: str, floor: int) -> None:
    assert reached[situation] >= floor, reached


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
