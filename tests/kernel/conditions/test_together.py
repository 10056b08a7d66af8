"""Conditions as one expression: it says of each what that says by itself."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.conditions import (
    PURCHASE,
    Condition,
    Together,
    Values,
    compiled,
    is_always_told,
    parcels,
    purchase_values,
    together,
)
from loyalty.conditions.together import LIST_MAX, TOGETHER_MAX
from loyalty.kept import Attributes, Noted
from loyalty.view import TraitValue
from tests.kernel.conditions.scenes import ADA, LINES, NOON, a_purchase, a_view

SOURCES = (
    'purchase.total >= amount("19.50")', "purchase.total > 5000 // a lot",
    'purchase.currency == "JPY" || purchase.quantity > 3.0', '"grocery" in purchase.categories',
    '"car" in purchase.categories', "size(purchase.skus) > 1 && local.hour < 13",
    'member.tier == "gold"', "at > timestamp('2026-05-20T10:00:00Z')", "true", "1 > 2",
    'purchase.external_id.endsWith("1")', "member.enrolled_days >= 10\n", "'a ? b : c' == ''",
    "purchase.total > 0 ? purchase.tax > 0 : purchase.net > 0",
    "purchase.skus[1] == 'mug'", "100 / purchase.discount > 3",
)  # fmt: skip
FACTS = (
    a_purchase(), a_purchase(currency="JPY", total=9_000, lines=LINES[1:]),
    a_purchase(external_id="o-2", occurred_at=NOON + timedelta(hours=3), lines=()),
)  # fmt: skip


def of(*sources: str) -> tuple[Condition, ...]:
    return tuple(compiled(source, PURCHASE, currency="EUR") for source in sources)


def asked(*sources: str) -> Together:
    found = together(of(*sources))
    assert found is not None
    return found


def values(at: int = 0, tier: str | None = None) -> Values:
    traits = {} if tier is None else {"coffee.tier": tier}
    return purchase_values(FACTS[at], a_view(traits=traits))


@settings(max_examples=200, deadline=None)
@given(
    sources=st.lists(st.sampled_from(SOURCES), min_size=1, max_size=6),
    seen=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["gold", "silver", None])),
                  min_size=1, max_size=4),
)  # fmt: skip
def test_what_is_asked_together_is_what_each_says_by_itself(
    sources: list[str], seen: list[tuple[int, str | None]]
) -> None:
    conditions = of(*sources)
    for at, tier in seen:
        holding = asked(*sources).holding(values(at, tier))
        verdicts = [one.against(values(at, tier)) for one in conditions]
        if any(one is not None and one.fault for one in verdicts):
            assert holding is None
        else:
            assert holding == sum(1 << i for i, one in enumerate(verdicts) if one is None)


def test_of_one_that_cannot_be_judged_nothing_is_said_of_the_others() -> None:
    both = asked("purchase.total > 0", "100 / (purchase.total - 1950) > 3")
    assert both.holding(values()) is None
    assert both.holding(values(1)) == 1


def test_what_one_reads_is_read_although_another_decides() -> None:
    """A decision keeps what all conditions read, whatever came of them."""
    traits = Noted({"vip.tier": TraitValue(value="gold", since=NOON)})
    view = a_view()._replace(traits=traits)
    both = asked("1 > 2", 'purchase.total < 0 && member.tier == "gold"')
    for _ in range(2):  # also where it is known what came of it
        traits.read.clear()
        assert both.holding(purchase_values(FACTS[0], view)) == 0
        assert traits.read == {"coffee.tier": None, "vip.tier": traits["vip.tier"]}


@pytest.mark.parametrize(
    "source",
    ['member.attributes["club"].name == "x"', 'member.attributes.size() > 0',
     'member.traits["vip.tier"] == "gold"', 'purchase.paid_by["CARD"] > 0',
     'purchase.lines.exists(line, line.sku == "mug")', 'choice.track == "a"'],
)  # fmt: skip
def test_what_may_miss_a_key_is_asked_by_itself(source: str) -> None:
    (condition,) = of(source)
    assert not is_always_told(condition)
    assert is_always_told(of("purchase.total > 0")[0])


def test_baskets_with_other_lists_are_told_apart() -> None:
    both = asked('"car" in purchase.categories', "size(purchase.skus) > 1")
    assert [both.holding(values(at)) for at in (0, 1, 2, 0)] == [2, 0, 0, 2]
    long = tuple(
        LINES[1].__class__(id=str(n), amount=1, sku=f"s{n}", category="car")
        for n in range(LIST_MAX + 1)
    )
    many = purchase_values(a_purchase(lines=long), a_view())
    assert both.holding(many) == both.holding(many) == 3


def test_attributes_are_not_looked_at() -> None:
    """Not even where all others are: they would be kept with the decision."""
    attributes = Attributes(ADA.attributes)
    view = a_view(ADA._replace(attributes=attributes))
    both = asked("purchase.total > 0", "member.enrolled_days > 0")
    assert both.holding(purchase_values(FACTS[0], view)) == 3
    assert not attributes.asked


def test_an_expression_takes_so_many_and_no_more() -> None:
    many = [f"purchase.total > {n}" for n in range(2 * TOGETHER_MAX + 1)]
    cut = parcels(of(*many))
    assert [len(one) for one in cut] == [TOGETHER_MAX, TOGETHER_MAX, 1]
    assert [one for parcel in cut for one in parcel] == list(of(*many))
    assert asked(*many[:TOGETHER_MAX]).holding(values()) == (1 << TOGETHER_MAX) - 1
    long = [f'"{"x" * 3_900}{n}" == "" || purchase.total > 0' for n in range(12)]
    assert [len(one) for one in parcels(of(*long))] == [5, 5, 2]
    assert asked(*long[:5]).holding(values()) == 31


def test_what_is_nested_too_deep_for_one_expression_is_not_asked_together() -> None:
    deep = "(" * 31 + "purchase.total > 0" + ")" * 31  # by itself the library takes it
    assert of(deep)[0].against(values()) is None
    assert together(of(deep, *SOURCES[:3])) is None
