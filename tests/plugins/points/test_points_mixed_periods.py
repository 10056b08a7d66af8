"""A period in which the rule that adds it up is published anew: what comes back, and when."""

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from loyalty.purchase import Line
from loyalty.units import Rounding, format_minor, rounded
from tests.plugins.points.till import Till, program, rule

DAY: dict[str, Any] = {"per": {"USD": "5.00"}, "over": {"period": "day"}}
LOW = [{"from": "500", "points": "125"}, {"from": "1000", "points": "1000"}]
HIGH = [{"from": "500", "points": "130"}, {"from": "1000", "points": "1010"}]
reached: Counter[str] = Counter()


def settled_before_another_table() -> tuple[Till, str]:
    """Two purchases that came to a level, of which one came back; then the table changes."""
    till = Till(program(rule("day", levels=LOW, **DAY)))
    till.buys("2500.00")
    first = till.order
    till.buys("2500.00")
    till.brings_back(first)  # its share is 125, and 750 that it had lifted the other by
    assert till.balance() == "125"
    till.comes("2026-03-10T13:00")
    till.publishes(program(rule("day", levels=HIGH, **DAY)))
    return till, till.order


def test_what_a_return_settled_before_another_table_goes_with_the_goods() -> None:
    till, second = settled_before_another_table()
    till.brings_back(second)
    assert till.balance() == "0"


def test_what_is_left_earns_under_its_own_table_whichever_comes_back() -> None:
    till, second = settled_before_another_table()
    till.buys("2500.00")
    assert till.balance() == str(125 + 1010 - 130)
    till.brings_back(second, _1="1250.00")  # 250 and 500 are left: the new table lifts to 750
    assert till.balance() == "130"
    till.brings_back()
    assert till.balance() == "0"
    till.brings_back(second)
    assert till.balance() == "0"


def test_a_sum_that_counts_other_goods_from_now_on_ends_at_nothing() -> None:
    """It is filled with what was bought before, but that was judged by another sum."""
    till = Till(program(rule("day", levels=LOW, **DAY)))
    till.buys("2500.00")
    first = till.order
    till.comes("2026-03-10T13:00")
    till.publishes(program(rule("day", levels=LOW, **DAY, exclude={"brands": ["x"]})))
    till.buys("2500.00")
    assert till.balance() == "1000"
    till.brings_back(first)
    assert till.balance() == "125"
    till.brings_back()
    assert till.balance() == "0"


@pytest.mark.parametrize(
    "change",
    [
        {"over": None},
        {"caps": [{"points": "7", "period": "day"}]},
        {"at_most": "9"},
        {"id": "other"},
    ],
)
def test_a_rule_that_adds_up_no_more_leaves_nothing_behind(change: dict[str, Any]) -> None:
    """Three purchases of 0.60 come to a point; one is kept until the rule has changed."""
    month: dict[str, Any] = {"over": {"period": "month"}}
    till = Till(program(rule(**month)))
    orders = []
    for _ in range(3):
        till.buys("0.60")
        orders.append(till.order)
    till.brings_back(orders[1])  # its share was the point; the rest earns one all the same
    assert till.balance() == "1"
    till.comes("2026-03-11T12:00")
    till.publishes(program(rule(**month | change)))
    till.buys("5.00")
    kept = till.balance()
    till.brings_back(orders[0])
    till.brings_back(orders[2])
    assert till.balance() == str(int(kept) - 1)
    till.brings_back()
    assert till.balance() == "0"


def test_days_that_became_months_end_at_nothing() -> None:
    till = Till(program(rule(over={"period": "day"})))
    orders = []
    for day in ("10", "10", "11", "11"):
        till.comes(f"2026-03-{day}T12:00")
        till.buys("0.60")
        orders.append(till.order)
    assert till.balance() == "2"
    till.brings_back(orders[1])
    till.comes("2026-03-12T12:00")
    till.publishes(program(rule(over={"period": "month"})))
    till.buys("0.60")
    orders.append(till.order)
    for order in (orders[2], orders[4], orders[0], orders[3]):
        till.brings_back(order)
    assert till.balance() == "0"


# --- any story ------------------------------------------------------------------------------------


@dataclass
class Kept:
    """A purchase of two lines, of which so much is left, and the version that judged it."""

    order: str
    number: int
    rule: dict[str, Any]
    left: dict[str, int] = field(default_factory=dict)

    def counts(self, rule: dict[str, Any]) -> int:
        return sum(left for line, left in self.left.items() if line == "1" or "exclude" not in rule)


def earned(rule: dict[str, Any], total: int) -> int:
    steps = Fraction(total, int(rule["per"]["USD"].replace(".", "")))
    if "levels" in rule:
        reached = [int(x["points"]) for x in rule["levels"] if steps >= int(x["from"])]
        return max(reached, default=0)
    return rounded(steps * Fraction(rule["points"]), Rounding(rule["rounding"]))


def of_what_is_left(kept: list[Kept], rules: list[Any]) -> int:
    """Each purchase by the rule that judged it, in the order in which they were told.

    A sum that no version from then on reads does not go on with a purchase.
    """
    points = 0
    for at, one in enumerate(kept):
        before = sum(
            other.counts(one.rule)
            for other in kept[:at]
            if any(adds_the_same(one.rule, later) for _, later in rules[other.number :])
        )
        after = before + one.counts(one.rule)
        points += earned(one.rule, after) - earned(one.rule, before)
    return points


def adds_the_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (one["per"], one.get("exclude")) == (other["per"], other.get("exclude"))


@st.composite
def ways(draw: st.DrawFn) -> dict[str, Any]:
    keys: dict[str, Any] = {"rounding": draw(st.sampled_from([one.value for one in Rounding]))}
    if draw(st.integers(0, 2)) == 0:
        keys["levels"] = [
            {"from": "2", "points": str(draw(st.integers(1, 20)))},
            {"from": "5", "points": str(draw(st.integers(20, 90)))},
        ]
    else:
        keys["points"] = draw(st.sampled_from(["1", "0.5", "2.25", "10"]))
    keys["per"] = {"USD": draw(st.sampled_from(["1.00", "3.00"]))}
    if draw(st.booleans()):
        keys["exclude"] = {"categories": ["coffee"]}
    return rule(over={"period": "month"}, **keys)


STEP = st.tuples(
    st.sampled_from(["buy", "buy", "late", "late", "publish", "return", "return", "correct"]),
    st.integers(1, 700), st.integers(0, 300), st.integers(0, 99),
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(
    first=ways(),
    others=st.lists(ways(), min_size=1, max_size=4),
    steps=st.lists(STEP, min_size=8, max_size=30),
    cut=st.sampled_from([None, None, None, "at_most", "caps"]),
)
def test_any_story_holds_what_is_left_of_it_earns(
    first: dict[str, Any], others: list[dict[str, Any]], steps: list[tuple[str, int, int, int]],
    cut: str | None,
) -> None:  # fmt: skip
    """Purchases in a month, told late and corrected ones too; the rule changes; goods come back."""
    if cut is not None:
        others[0] = others[0] | {
            cut: "4" if cut == "at_most" else [{"points": "9", "period": "month"}]
        }
    till, kept = Till(program(first)), list[Kept]()
    rules = [("2026-03-10T12:00", first)]
    exact = cut is None
    for number, (what, amount, more, which) in enumerate(steps):
        hour = f"2026-03-{11 + number // 24}T{number % 24:02}"
        till.comes(f"{hour}:00")
        if what == "publish":
            rules.append((f"{hour}:30", others[len(rules) % len(others)]))
            till.comes(f"{hour}:30")
            till.publishes(program(rules[-1][1]))
        elif what in ("buy", "late") or not kept:
            judging = which % len(rules) if what == "late" else len(rules) - 1
            if what == "late":
                till.comes(rules[judging][0])
                # judged by a sum that goes on no more: what it held depends on what is published
                exact &= adds_the_same(rules[judging][1], rules[-1][1])
                reached["late"] += judging < len(rules) - 1
            buy(till, kept, amount, more)
            kept[-1].number, kept[-1].rule = judging, rules[judging][1]
        elif what == "correct":
            one = kept[which % len(kept)]
            if not one.order.endswith("back"):
                exact &= adds_the_same(one.rule, rules[-1][1])  # as what is told late
                correct(till, kept, one, amount)
        else:
            bring_back(till, kept, kept[which % len(kept)], amount)
        if exact:
            assert till.balance() == str(of_what_is_left(kept, rules))
            reached["exact"] += len(rules) > 1 and what == "return"
        assert int(till.balance()) >= 0
    for one in sorted(kept, key=lambda one: one.left["1"]):
        till.brings_back(one.order.removesuffix("back"))
    assert till.balance() == "0"
    event("ends at nothing")


def buy(till: Till, kept: list[Kept], amount: int, more: int) -> None:
    lines = [Line(id="1", amount=amount), Line(id="2", amount=more, category="coffee")]
    till.buys(*(line for line in lines if line.amount))
    left = {line.id: line.amount for line in lines if line.amount}
    kept.append(Kept(till.order, 0, {}, left))


def correct(till: Till, kept: list[Kept], one: Kept, amount: int) -> None:
    """As if it had never been bought, and told last."""
    till.corrects(one.order, format_minor(amount, 2))
    kept.remove(one)
    kept.append(Kept(one.order, one.number, one.rule, {"1": amount}))
    reached["corrected"] += 1


def bring_back(till: Till, kept: list[Kept], one: Kept, amount: int) -> None:
    line = max(one.left, key=lambda line: one.left[line])
    part = min(amount, one.left[line])
    till.brings_back(one.order.removesuffix("back"), **{f"_{line}": format_minor(part, 2)})
    one.left[line] -= part
    if not one.order.endswith("back"):
        one.order += "back"
    if not any(one.left.values()):
        kept.remove(one)


@pytest.mark.parametrize(("situation", "floor"), [("exact", 10), ("late", 20), ("corrected", 20)])
def test_the_interesting_situations_were_reached(situation: str, floor: int) -> None:
    assert reached[situation] >= floor, reached


def test_what_lost_the_minimum_counts_on_as_the_first_version_of_its_sum_has_it() -> None:
    """Of 6.00 that were bought under another sum 3.99 are left, below the minimum. The second
    version lets them count on; the third would not, and goes on with the second's sum."""
    keeps: dict[str, Any] = {"over": {"period": "month"}, "points": "0.1"}
    keeps["minimum_purchase"] = {"USD": "5.00"}
    till = Till(program(rule(base="gross", **keeps)), places={"points": 2})
    till.buys("6.00")
    till.brings_back(_1="2.01")
    for day, lost in (("12", "keep"), ("13", "recompute")):
        till.comes(f"2026-03-{day}T12:00")
        till.publishes(program(rule(minimum_lost=lost, **keeps | {"points": "0.175"})))
    assert till.buys("10.00") == {"base": "1.75"}  # 2.44 of 13.99, less 0.69 of the 3.99
    till.brings_back(_1="1.00")
    assert till.balance() == "1.97"  # 0.39, and 2.27 of 12.99 less 0.69


def test_a_sum_that_was_filled_anew_counts_as_the_version_that_filled_it_has_it() -> None:
    """Of 6.00 that were bought under the same sum 3.99 are left, below the minimum. The version
    between adds up other goods; the last one fills the sum anew, and lets them not count on."""
    keeps: dict[str, Any] = {"over": {"period": "month"}, "points": "0.1"}
    keeps["minimum_purchase"] = {"USD": "5.00"}
    till = Till(program(rule(minimum_lost="keep", **keeps)), places={"points": 2})
    till.buys("6.00")
    till.brings_back(_1="2.01")
    assert till.balance() == "0.39"
    for day, keys in (
        ("12", {"exclude": {"brands": ["x"]}}),
        ("13", {"minimum_lost": "recompute", "points": "0.175"}),
    ):
        till.comes(f"2026-03-{day}T12:00")
        till.publishes(program(rule(**keeps | keys)))
    assert till.buys("10.00") == {"base": "1.75"}
    till.brings_back(_1="1.00")
    assert till.balance() == "1.96"  # 0.39 as before, and 1.57 of 9.00
