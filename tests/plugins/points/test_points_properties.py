"""What holds for any basket and any rule."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from loyalty.effects import Grant
from loyalty.facts import PurchaseRecorded
from loyalty.purchase import Line, LineKind
from loyalty.view import View
from loyalty_earning.rules.earning import earn
from loyalty_points.config import PointsConfig

CATEGORIES = (None, "food", "food/coffee", "foodstuff", "tools", "gift")
RATES = ("0", "0.333333", "0.5", "1", "1.7", "2", "10")

Configs = Callable[..., PointsConfig]
Purchases = Callable[..., PurchaseRecorded]
Views = Callable[..., View]


@st.composite
def baskets(draw: st.DrawFn) -> tuple[Line, ...]:
    lines = []
    for at in range(draw(st.integers(1, 8))):
        amount = draw(st.integers(0, 300_00))
        discount = draw(st.integers(0, amount))
        lines.append(
            Line(
                id=str(at),
                amount=amount,
                discount=discount,
                tax=draw(st.integers(0, amount - discount)),
                category=draw(st.sampled_from(CATEGORIES)),
                kind=draw(st.sampled_from((LineKind.PRODUCT, LineKind.PRODUCT, LineKind.SHIPPING))),
            )
        )
    return tuple(lines)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    rated = draw(st.lists(st.sampled_from(CATEGORIES[1:]), unique=True, max_size=4))
    return {
        "points": draw(st.sampled_from(RATES[1:])),
        "per": {"USD": draw(st.sampled_from(("0.01", "0.75", "1.00", "3.00", "10.00")))},
        "whole_steps": draw(st.booleans()),
        "base": draw(st.sampled_from(("net", "net_with_tax", "gross", "gross_with_tax"))),
        "categories": [
            {"category": path, "points": draw(st.sampled_from(RATES))} for path in rated
        ],
        "rounding": draw(st.sampled_from(("floor", "half_up", "half_even", "ceiling"))),
        "rounded": draw(st.sampled_from(("line", "order"))),
    }


def total(grants: list[Grant]) -> int:
    return sum(grant.granted for grant in grants)


@settings(max_examples=300, deadline=None)
@given(lines=baskets(), rule=rules(), places=st.integers(0, 4), included=st.booleans())
def test_the_lines_share_exactly_what_is_granted(
    config: Configs,
    purchase: Purchases,
    view: Views,
    lines: tuple[Line, ...],
    rule: dict[str, Any],
    places: int,
    included: bool,
) -> None:
    basket = purchase(*lines, tax_included=included)
    grants = list(earn(config(rule), basket, view(places=places)))
    for grant in grants:
        assert grant.lines is not None
        assert grant.granted == grant.wanted == sum(grant.lines.values()) > 0
        assert min(grant.lines.values()) > 0
        assert grant.lines.keys() <= {line.id for line in lines if line.kind is LineKind.PRODUCT}
    assert grants == list(earn(config(rule), basket, view(places=places)))


@settings(max_examples=300, deadline=None)
@given(lines=baskets(), rule=rules(), more=st.integers(1, 50_00), data=st.data())
def test_paying_more_never_earns_less(
    config: Configs,
    purchase: Purchases,
    view: Views,
    lines: tuple[Line, ...],
    rule: dict[str, Any],
    more: int,
    data: st.DataObject,
) -> None:
    at = data.draw(st.integers(0, len(lines) - 1))
    dearer = replace(lines[at], amount=lines[at].amount + more)
    larger = purchase(*lines[:at], dearer, *lines[at + 1 :])
    before = total(list(earn(config(rule), purchase(*lines), view())))
    assert total(list(earn(config(rule), larger, view()))) >= before


@settings(max_examples=300, deadline=None)
@given(lines=baskets(), rule=rules())
def test_rounding_down_each_line_never_gives_more_than_rounding_down_the_order(
    config: Configs,
    purchase: Purchases,
    view: Views,
    lines: tuple[Line, ...],
    rule: dict[str, Any],
) -> None:
    basket = purchase(*lines)
    floors = [
        total(list(earn(config(rule | {"rounding": "floor", "rounded": over}), basket, view())))
        for over in ("line", "order")
    ]
    assert floors == sorted(floors)


@settings(max_examples=200, deadline=None)
@given(lines=baskets(), rule=rules())
def test_the_roundings_are_in_order_and_within_a_point(
    config: Configs,
    purchase: Purchases,
    view: Views,
    lines: tuple[Line, ...],
    rule: dict[str, Any],
) -> None:
    basket = purchase(*lines)
    floor, even, up, ceiling = (
        total(list(earn(config(rule | {"rounding": name, "rounded": "order"}), basket, view())))
        for name in ("floor", "half_even", "half_up", "ceiling")
    )
    assert floor <= even <= up <= ceiling <= floor + 1


@settings(max_examples=200, deadline=None)
@given(lines=baskets(), rule=rules(), seed=st.randoms())
def test_the_order_of_the_lines_does_not_matter_to_the_sum(
    config: Configs,
    purchase: Purchases,
    view: Views,
    lines: tuple[Line, ...],
    rule: dict[str, Any],
    seed: Any,
) -> None:
    assume(len(lines) > 1)
    mixed = seed.sample(lines, len(lines))
    assert total(list(earn(config(rule), purchase(*lines), view()))) == total(
        list(earn(config(rule), purchase(*mixed), view()))
    )
