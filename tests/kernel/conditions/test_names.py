"""Each name stands for what its description says."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from loyalty.conditions import ACTIVITY, PURCHASE, STANDING, VOCABULARIES
from loyalty.kept import NotKept, view_of
from loyalty.view import View
from tests.kernel.conditions.scenes import (
    ADA,
    NOON,
    SETUP,
    a_purchase,
    a_view,
    an_activity,
    of_activity,
    of_purchase,
    of_standing,
    program,
)

HOLD_OF_THE_PURCHASE = (
    'purchase.total == amount("19.50")',
    'purchase.net == amount("18.00")',
    'purchase.gross == amount("20.00")',
    'purchase.tax == amount("1.50")',
    'purchase.discount == amount("2.00")',
    'purchase.currency == "EUR" && purchase.source == "till" && purchase.external_id == "o-1"',
    "purchase.quantity == 4.5",
    'purchase.skus == ["tea-1", "mug"]',
    'purchase.categories == ["grocery/tea/green", "grocery/tea", "grocery", "home"]',
    'purchase.brands == ["Leaf"]',
    'purchase.kinds == ["PRODUCT", "SHIPPING"]',
    'purchase.tender_kinds == ["CARD", "GIFT_CARD"]',
    'purchase.tender_names == ["visa", "amex"]',
    'purchase.paid_by["CARD"] == amount("16.50") && purchase.paid_by["POINTS"] == 0',
    'purchase.paid_by_name == {"visa": amount("15.00"), "amex": amount("1.50")}',
    'purchase.attributes.store == "Sol" && purchase.attributes.guests > 3',
    'purchase.attributes.score > 4 && "b" in purchase.attributes.tags',
    'purchase.lines.exists(l, l.category == "home" && l.net == amount("5.00"))',
    'purchase.lines.exists(l, has(l.attributes.organic) && l.quantity == 2.0 && l.sku == "tea-1")',
    'purchase.lines.filter(l, l.kind == "SHIPPING").all(l, l.sku == "" && l.category == "")',
)

HOLD_OF_THE_MEMBER = (
    'at == timestamp("2026-05-20T10:00:00Z")',
    'at.getHours("Europe/Madrid") == 12',
    'local.date == "2026-05-20" && local.weekday == "WEDNESDAY"',
    "local.month == 5 && local.day == 20 && local.hour == 12 && local.minute == 0",
    'member.id == "00000000-0000-0000-0000-000000000007" && member.external_id == "ada"',
    'member.status == "ACTIVE"',
    'member.attributes.club.name == "runners" && member.attributes["visits"] == 3',
    "member.enrolled_days == 9",
    "member.days_to_birthday == 5 && member.days_since_birthday == 360",
    "member.birthday_month == 5 && member.birthday_month == local.month",
    'member.tier == "gold"',
    '"silver" in member.tiers && !("platinum" in member.tiers)',
    'member.traits["vip.tier"] == "gold" && !("vip.score" in member.traits)',
    'choice.track == "distance"',
)
TRAITS = {
    "vip.tier": "gold", "vip.tiers": ["silver", "gold"], "coffee.choices": {"track": "distance"},
    "vip.choices": {"track": 1},
}  # fmt: skip


@pytest.mark.parametrize("source", HOLD_OF_THE_PURCHASE)
def test_names_of_a_purchase(source: str) -> None:
    verdict = of_purchase(source)
    assert verdict.holds, verdict.words()


@pytest.mark.parametrize("source", HOLD_OF_THE_MEMBER)
def test_names_that_all_conditions_know(source: str) -> None:
    verdict = of_standing(source, a_view(traits=TRAITS))
    assert verdict.holds, verdict.words()


def test_names_of_an_activity() -> None:
    source = 'activity.type == "check-in" && activity.source == "app"'
    assert of_activity(f'{source} && activity.external_id == "a-1"').holds
    assert of_activity('activity.attributes.place == "gym" && local.hour == 12').holds
    assert not of_activity('activity.type == "check-in"', an_activity(type="survey")).holds


def test_every_name_is_tried_here() -> None:
    tried = " ".join((*HOLD_OF_THE_PURCHASE, *HOLD_OF_THE_MEMBER))
    names = [name.name for name in (*PURCHASE.names, *STANDING.names)]
    assert [name for name in names if name not in tried] == []
    assert {name.name for name in ACTIVITY.names if name not in STANDING.names} == {
        f"activity.{name}" for name in ("type", "source", "external_id", "attributes")
    }


def test_every_name_has_a_description_and_a_value_without_a_member() -> None:
    for vocabulary in VOCABULARIES:
        assert len(vocabulary.by_name) == len(vocabulary.names)
        assert all(name.description.endswith(".") for name in vocabulary.names)
    guest = a_view(member=None)
    for source in (
        'member.id == "" && member.external_id == "" && member.status == "" && member.tier == ""',
        "member.enrolled_days == -1 && member.days_to_birthday == -1",
        "member.days_since_birthday == -1 && size(member.traits) == 0 && size(choice) == 0",
        "size(member.attributes) == 0 && size(member.tiers) == 0 && member.birthday_month == -1",
    ):
        assert of_standing(source, guest).holds, source


@pytest.mark.parametrize(
    ("birthday", "at", "to", "since"),
    [
        ("05-20", "2026-05-20T10:00Z", 0, 0),
        ("05-19", "2026-05-20T10:00Z", 364, 1),
        ("05-21", "2026-05-20T10:00Z", 1, 364),
        ("05-21", "2026-05-20T22:30Z", 0, 0),  # the tenant's clock says the 21st
        ("1988-12-31", "2026-01-01T10:00Z", 364, 1),
        ("02-29", "2026-02-28T10:00Z", 1, 364),  # on 1 March; a year ago as well
        ("02-29", "2026-03-01T10:00Z", 0, 0),
        ("02-29", "2028-02-28T10:00Z", 1, 364),
        ("02-29", "2028-02-29T10:00Z", 0, 0),
        ("02-29", "2028-03-01T10:00Z", 365, 1),
        ("2001-02-29", "2026-03-01T10:00Z", -1, -1),  # there was no such day
        ("5-20", "2026-05-20T10:00Z", -1, -1),
        ("20.05.1990", "2026-05-20T10:00Z", -1, -1),
        (520, "2026-05-20T10:00Z", -1, -1),
        (None, "2026-05-20T10:00Z", -1, -1),
    ],
)
def test_days_around_a_birthday(birthday: Any, at: str, to: int, since: int) -> None:
    view = a_view(ADA._replace(attributes={"birthday": birthday}))
    source = f"member.days_to_birthday == {to} && member.days_since_birthday == {since}"
    verdict = of_standing(source, view, datetime.fromisoformat(at))
    assert verdict.holds, verdict.words()


@pytest.mark.parametrize(
    ("birthday", "month"),
    [("12-31", 12), ("1988-02-29", 2), ("13-01", -1), (5, -1), (None, -1)],
)
def test_the_month_of_a_birthday(birthday: Any, month: int) -> None:
    view = a_view(ADA._replace(attributes={"birthday": birthday}))
    verdict = of_standing(f"member.birthday_month == {month}", view)
    assert verdict.holds, verdict.words()


@pytest.mark.parametrize(
    ("enrolled", "days"),
    [
        ("2026-05-19T22:00Z", 0),  # midnight there
        ("2026-05-19T21:59Z", 1),
        ("2026-05-20T11:00Z", 0),  # a fact that came from before the enrolment
        ("2026-05-22T11:00Z", 0),
    ],
)
def test_days_since_enrolment_are_whole_local_days(enrolled: str, days: int) -> None:
    view = a_view(ADA._replace(enrolled_at=datetime.fromisoformat(enrolled)))
    assert of_standing(f"member.enrolled_days == {days}", view).holds


def test_the_clock_that_changes_in_march() -> None:
    at = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 02:30 there would be, but is 03:30
    assert of_standing("local.hour == 3 && local.minute == 30", at=at).holds


def test_the_tier_is_of_the_first_program_that_gives_one() -> None:
    both = {"vip.tier": "gold", "coffee.tier": "barista"}
    assert of_standing('member.tier == "barista"', a_view(traits=both)).holds
    other = replace(SETUP, programs=(program("coffee", 2), program("vip", 1)))
    assert of_standing('member.tier == "gold"', a_view(traits=both, setup=other)).holds
    for unlike in ({"coffee.tier": 3}, {"coffee.tier": "", "coffee.tiers": []}):
        view = a_view(traits={**unlike, "vip.tier": "gold", "vip.tiers": ["gold"]})
        assert of_standing('member.tier == "gold" && member.tiers == ["gold"]', view).holds


def _kept(traits: dict[str, Any], setup: Any = SETUP) -> View:
    rows = {name: value and [value, "2026-05-20T10:00:00Z", None] for name, value in traits.items()}
    body = {"read": {"coffee": {"version": 1, "traits": rows}}}
    return view_of(body, "coffee", setup, member=ADA)


def test_the_tier_of_a_decision_that_is_judged_anew() -> None:
    assert of_standing(
        'member.tier == "gold"', _kept({"coffee.tier": None, "vip.tier": "gold"})
    ).holds
    assert of_standing('member.tier == ""', _kept({"coffee.tier": None, "vip.tier": None})).holds
    more = replace(SETUP, programs=(*SETUP.programs, program("late", -1), program("later", 9)))
    assert of_standing('member.tier == "gold"', _kept({"vip.tier": "gold"}, more)).holds
    assert of_standing('member.tier == ""', _kept({"vip.tier": None}, more)).holds
    with pytest.raises(NotKept):
        of_standing('member.tier == ""', _kept({}))


def test_a_line_that_says_nothing_gives_no_empty_entries() -> None:
    bare = a_purchase(lines=(a_purchase().lines[2],))
    assert of_purchase("size(purchase.skus) + size(purchase.brands) == 0", bare).holds
    assert of_purchase("size(purchase.categories) == 0", bare).holds
    assert bare.occurred_at == NOON
