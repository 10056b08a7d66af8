"""Whether a condition holds; which part fails where it does not, and what that part read."""

from datetime import UTC, datetime

import pytest

from loyalty.conditions import PURCHASE, Condition, activity_values, compiled, purchase_values
from loyalty.conditions.clause import KNOWN_MAX
from loyalty.kept import Noted
from loyalty.view import TraitValue, View
from tests.kernel.conditions.scenes import (
    ADA,
    NOON,
    SETUP,
    a_purchase,
    a_view,
    an_activity,
    of_purchase,
)


def a_condition(source: str, currency: str | None = "EUR") -> Condition:
    return compiled(source, PURCHASE, currency=currency)


def test_amounts_are_minor_units_of_the_currency() -> None:
    source = 'purchase.total >= amount("19.50") && purchase.total < amount("19.51")'
    assert of_purchase(source).holds
    assert of_purchase('amount("1950") == 1950', currency="JPY").holds
    assert of_purchase('amount("1.950") == 1950', currency="BHD").holds
    assert of_purchase("amount('''2''') == 200 && amount(r\"3\") == 300").holds
    assert of_purchase(
        'amount(\n  // of what was paid\n  "2"\n) == 200 && [1, -amount("2")][1] == -200'
    ).holds


def test_a_text_that_looks_like_an_amount_is_a_text() -> None:
    assert of_purchase("""'amount("2")'.size() == 11 // amount("x")""").holds


def test_the_first_part_that_is_false_and_what_it_read() -> None:
    verdict = of_purchase(
        '"home" in purchase.categories && purchase.total >= amount("25.00") && local.hour > 13'
    )
    assert (verdict.holds, verdict.fault) == (False, None)
    assert verdict.failed == 'purchase.total >= amount("25.00")'
    assert verdict.values == {"purchase.total": 1_950}


def test_a_verdict_that_holds_shows_all_that_was_read() -> None:
    verdict = of_purchase('purchase.total > 0 && member.attributes.club.name == "runners"')
    assert (verdict.holds, verdict.failed) == (True, None)
    assert verdict.values == {"purchase.total": 1_950, "member.attributes.club.name": "runners"}


def test_values_are_ready_for_json() -> None:
    assert of_purchase("at < timestamp('2026-01-01T00:00:00Z')").values == {
        "at": "2026-05-20T10:00:00Z"
    }


@pytest.mark.parametrize(
    ("source", "fault", "failed"),
    [
        ("purchase.attributes.nothing > 3", 'there is no "nothing"', None),
        ("purchase.attributes.store > 3", "> does not take string, int64", None),
        ("local.hour > 3 && purchase.total / (local.day - 20) > 3", "divide by zero",
         "purchase.total / (local.day - 20) > 3"),
        ("purchase.attributes.store.x == 3", "it looks for a key in what has no keys", None),
        ("local.hour > 3 && purchase.attributes.guests", "it is neither true nor false",
         "purchase.attributes.guests"),
        ("purchase.skus[9] == 'a'", "there is no entry 9, only 2 of them", None),
        ("purchase.total + 9223372036854775807 > 0", "integer overflow", None),
        ("timestamp(purchase.source) < at", "String to Timestamp conversion failed", None),
    ],
)  # fmt: skip
def test_an_error_is_no_verdict_and_says_why(source: str, fault: str, failed: str | None) -> None:
    verdict = of_purchase(source)
    assert (verdict.holds, verdict.fault) == (False, fault)
    assert verdict.failed == (failed or source)
    assert verdict.words().startswith(f"`{verdict.failed}` cannot be judged: {fault}")


def test_a_part_that_is_false_decides_whatever_another_one_meets() -> None:
    verdict = of_purchase("purchase.attributes.nothing == 3 && purchase.total > 9999")
    assert (verdict.holds, verdict.fault) == (False, None)
    assert verdict.failed == "purchase.total > 9999"


def test_a_number_that_is_too_large_is_an_error_and_no_crash() -> None:
    odd = a_purchase(attributes={"big": 2**70})
    assert of_purchase("purchase.attributes.big > 3", odd).fault is not None


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            'purchase.total >= amount("25.00") && local.hour > 3',
            '`purchase.total >= amount("25.00")` is false because purchase.total is 19.50 EUR',
        ),
        (
            'purchase.paid_by["CARD"] > amount("20") && true',
            '`purchase.paid_by["CARD"] > amount("20")` is false because '
            "purchase.paid_by.CARD is 16.50 EUR",
        ),
        (
            'member.tier in ["gold"] || "x" in purchase.skus',
            '`member.tier in ["gold"] || "x" in purchase.skus` is false because member.tier is "" '
            'and purchase.skus is ["tea-1", "mug"]',
        ),
        ("local.hour == 12", "`local.hour == 12` is true because local.hour is 12"),
        ("1 > 2", "`1 > 2` is false"),
        (
            '"car" in member.attributes',
            '`"car" in member.attributes` is false because member.attributes.car is not there',
        ),
        (
            "at < timestamp('2026-01-01T00:00:00Z')",
            "`at < timestamp('2026-01-01T00:00:00Z')` is false because at is 2026-05-20T10:00:00Z",
        ),
        (
            "purchase.attributes.guests > 9",
            "`purchase.attributes.guests > 9` is false because purchase.attributes.guests is 4",
        ),
    ],
)
def test_plain_words(source: str, words: str) -> None:
    assert of_purchase(source).words() == words


def test_of_long_lists_the_words_show_the_beginning() -> None:
    many = a_purchase(attributes={"tags": [str(n) for n in range(30)]})
    words = of_purchase('"x" in purchase.attributes.tags', many).words()
    assert words.endswith('"9", … 20 more]')


def test_the_same_text_is_compiled_once() -> None:
    assert a_condition("local.hour > 4") is a_condition("local.hour > 4")
    assert a_condition("local.hour > 4") != a_condition("local.hour > 4", "JPY")


def test_what_a_condition_reads_is_known_before() -> None:
    condition = a_condition(
        'purchase.total > 3 && purchase . attributes["a"] == "at" // local.hour'
    )
    assert condition.reads == {"purchase.total", "purchase.attributes"}
    assert condition.traits == frozenset()
    assert a_condition('member.tier == "x" && choice.track == "y"').traits == {"*.tier", ".choices"}
    assert a_condition('"a.b" in member.traits && member.traits["c.d"] == 1').traits == {
        "a.b", "c.d",
    }  # fmt: skip
    assert a_condition('member.traits["c.d"] == 1 && size(member.traits) > 1').traits == {"*.*"}


@pytest.mark.parametrize(
    "source",
    [
        '"mug" in .purchase.skus',
        "purchase // of it\n  . total > 1",
        '{"a": purchase.total}.a > 1',
        "[purchase.total][0] > 1 ? purchase.skus.size() == 2 : purchase.tax > 0",
        "purchase.attributes.`store` == 'Sol' && has(purchase.attributes.guests)",
        "-purchase.total < 0 && !(purchase.total in [1, 2])",
    ],
)
def test_a_name_is_found_wherever_it_stands(source: str) -> None:
    verdict = of_purchase(source)
    assert verdict.holds, verdict.words()


def test_a_key_that_is_put_together_is_not_taken_for_its_end() -> None:
    view = a_view(traits={"vip.tier": "gold"})
    assert of_purchase('"vip" + ".tier" in member.traits', view=view).holds
    assert of_purchase('member.traits["vip" + ".tier"] == "gold"', view=view).holds
    assert of_purchase('true ? "vip.tier" in member.traits : false', view=view).holds


def test_only_what_conditions_read_is_worked_out() -> None:
    traits = Noted({"vip.tier": TraitValue(value="gold", since=NOON)})
    view = View(program="coffee", setup=SETUP, member=ADA, traits=traits)
    assert of_purchase("purchase.total > 3", view=view).holds
    assert traits.read == {}
    assert of_purchase('"vip.tier" in member.traits && !("x.y" in member.traits)', view=view).holds
    assert set(traits.read) == {"vip.tier", "x.y"}


def test_what_was_said_of_some_values_is_said_of_no_others() -> None:
    """It is kept by all that the condition reads; that it was read is noted each time."""
    source = 'purchase.total >= 2000 && purchase.currency == "EUR" && member.tier == "gold"'
    gold, none = {"vip.tier": TraitValue(value="gold", since=NOON)}, dict[str, TraitValue]()
    for total, currency, traits, holds in (
        (1_950, "EUR", gold, False), (2_000, "EUR", gold, True), (2_000, "EUR", none, False),
        (2_000, "JPY", gold, False), (2_000, "EUR", gold, True), (1_950, "EUR", gold, False),
    ):  # fmt: skip
        noted = Noted(traits)
        view = View(program="coffee", setup=SETUP, member=ADA, traits=noted)
        fact = a_purchase(total=total, currency=currency)
        assert of_purchase(source, fact, view).holds is holds
        assert "vip.tier" in noted.read


def test_what_is_kept_has_an_end_and_nothing_is_lost_by_it() -> None:
    condition = a_condition("purchase.total % 2 == 0")
    for total in [*range(KNOWN_MAX + 3), 1, 2]:
        values = purchase_values(a_purchase(total=total), a_view())
        assert condition.judged(values).holds is (total % 2 == 0)
    assert len(condition.whole._known) <= KNOWN_MAX


def test_of_what_names_one_member_or_fact_nothing_is_kept() -> None:
    condition = a_condition('purchase.external_id == "o-1" || member.external_id == "ada"')
    assert condition.judged(purchase_values(a_purchase(), a_view())) is not None
    assert not condition.whole._known


def test_a_variable_of_a_loop_may_go_by_the_word_of_a_name() -> None:
    assert of_purchase('purchase.skus.exists(at, at == "mug")').holds
    assert of_purchase('purchase.skus.exists(member, member == "mug") && .local.hour == 12').holds


def test_values_of_another_kind_of_fact_are_a_mistake_of_the_caller() -> None:
    values = activity_values(an_activity(), a_view())
    with pytest.raises(TypeError, match="a condition on a purchase, not on an activity"):
        a_condition("purchase.total > 3").judged(values)


def test_the_budget_ends_what_would_take_too_long() -> None:
    many = a_purchase(
        lines=a_purchase().lines[:1] * 500, occurred_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    verdict = of_purchase("purchase.lines.all(a, purchase.lines.all(b, a.sku == b.sku))", many)
    assert (verdict.holds, verdict.fault) == (False, "it looks at more than a condition may")
