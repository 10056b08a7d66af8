"""Rules that are not judged because a fact gets nothing out of them: nobody can tell."""

import gc
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loyalty.errors import Refused
from loyalty.explained import NOT_KEPT
from loyalty.facts import ActivityRecorded, PurchaseRecorded
from loyalty.json_text import plain
from loyalty.purchase import Line, LineKind
from loyalty.units import format_minor
from loyalty_earning.sieve import LeftIn, Sieve
from tests.plugins.points.sifted import STEP, programs
from tests.plugins.points.till import ADA, Till, program, rule

reached: Counter[str] = Counter()
ADDING_UP = program(rule("sum", points="0.3", over={"period": "month"}),
                    *(rule(name, include={"brands": [name]}) for name in "ab"))  # fmt: skip
TWO = (Line(id="0", amount=2_00),)
T = TypeVar("T")
Told = TypeVar("Told", PurchaseRecorded, ActivityRecorded)


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


@settings(max_examples=250, deadline=None)
@example(ADDING_UP, [("buy", TWO, "USD", "", {}, 0)] * 2 + [("return", TWO, "USD", "", {}, 0)], 11)
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
    [("left out", 250), ("left out of an activity", 100), ("activity", 70), ("also", 40),
     ("cut", 10), ("by chance", 40), ("explained", 2000), ("returned", 30), ("settled", 1)],
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
