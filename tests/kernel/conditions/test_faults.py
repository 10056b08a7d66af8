"""What is no condition is refused when it is written, with the place and what to do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.conditions import ACTIVITY, PURCHASE, ConditionFault, compiled

MIXED = "write both with a point, or convert one, as in double(3)"
JOINS = "write && for and, || for or"
SIGNS = "write == for equal, && for and, || for or"
DEEP = "is nested too deeply, or joins too many things by one sign"


def fault_of(source: str, currency: str | None = "EUR") -> ConditionFault:
    with pytest.raises(ConditionFault) as caught:
        compiled(source, PURCHASE, currency=currency)
    return caught.value


@pytest.mark.parametrize(
    ("source", "message", "column"),
    [
        ("purchase.totl > 3", "there is no name purchase.totl: did you mean purchase.total?", 1),
        ('"a" in purchase.sku', "there is no name purchase.sku: did you mean purchase.skus?", 8),
        ('weekday == "MONDAY"', "there is no name weekday: did you mean local.weekday?", 1),
        (
            "purchase.line.exists(l, l.net > 5)",
            "there is no name purchase.line: did you mean purchase.lines?",
            1,
        ),
        ("zzz == 1", "there is no name zzz", 1),
        ('activity.type == "x"', "there is no name activity.type", 1),
        (
            'purchase.skus.exist(s, s == "a")',
            "there is no function exist: did you mean exists?",
            15,
        ),
        ("amuont(3) > 2", "there is no function amuont: did you mean amount?", 1),
        ("purchase.total", "must be true or false, and this is int", 1),
        (
            "purchase.attributes.vip",
            'may be anything: compare it, as in purchase.attributes.gift == "yes"',
            1,
        ),
        ('purchase.total > "25"', "> does not take int, string", 16),
        (
            "purchase.quantity >= 3",
            ">= does not take double, int: " + MIXED,
            19,
        ),
        ("purchase.total.x > 3", "int has no keys", 15),
        ("purchase.total >", "ends too early", 17),
        ("(purchase.total > 3", "ends too early: ) is missing", 20),
        ("purchase.total > 3)", ") does not belong here", 19),
        ("purchase.total = 3", f"= is not understood: {SIGNS}", 16),
        ('purchase.total > 3 and member.id == "x"', f"and does not belong here: {JOINS}", 20),
        ("purchase.total > 3 & true", f"& is not understood: {SIGNS}", 20),
        ("", "says nothing", 1),
        ("// nothing", "says nothing", 1),
        ('amount("2.505") > 3', 'the amount "2.505" has more than 2 decimal places (EUR)', 8),
        ('amount("-1") > 3', 'the amount "-1" must not be negative (EUR)', 8),
        ('amount("1,50") > 3', 'the amount "1,50" is no plain decimal number (EUR)', 8),
        ("amount(3) > 3", 'write an amount as a text in quotes, such as amount("25.00")', 1),
        (
            'amount("3" + "4") > 3',
            'write an amount as a text in quotes, such as amount("25.00")',
            1,
        ),
        ('purchase.total > .amount("3")', "there is no function amount: did you mean amount?", 19),
        ('"a\x00" == "b"', "holds a character that is not seen", 3),
        ('"\ud800" == "b"', "holds a character that is not seen", 2),
        ("purchase.total\u00a0> 1", "this is not understood", 15),
        ("amount(", 'write an amount as a text in quotes, such as amount("25.00")', 1),
        ("+".join(["purchase.total"] * 40) + " > 0", DEEP, 1),
    ],
)  # fmt: skip
def test_what_is_wrong_and_where(source: str, message: str, column: int) -> None:
    fault = fault_of(source)
    assert (fault.message, fault.line, fault.column) == (message, 1, column)


def test_the_caret_stands_under_the_fault_in_the_line_as_it_was_written() -> None:
    fault = fault_of('purchase.total >= amount("25.00") &&\n  purchase.totl < amount("30.00")')
    assert str(fault) == (
        "there is no name purchase.totl: did you mean purchase.total? (line 2, column 3)\n"
        '  purchase.totl < amount("30.00")\n'
        "  ^"
    )
    behind = fault_of('amount("25.00") < purchase.total && purchase.total > "x"')
    assert behind.excerpt.split("\n")[1].index("^") == behind.column - 1
    assert behind.excerpt[behind.column - 1] == ">"


def test_of_a_long_line_the_part_around_the_fault_is_shown() -> None:
    fault = fault_of("purchase.total > 3 && " * 20 + "purchase.totl > 4")
    shown, caret = fault.excerpt.split("\n")
    assert (fault.column, len(shown)) == (441, 77)
    assert shown[caret.index("^") :].startswith("purchase.totl")


def test_places_count_characters() -> None:
    assert fault_of('"😀é" == "x" && purchase.totl > 3').column == 16


@given(
    st.one_of(
        st.text(max_size=40), st.text("().[]{}\"'\\ \n?:&|=<>+-!,amount0.purchs", max_size=60)
    )
)
def test_any_text_is_a_condition_or_is_told_why_not(source: str) -> None:
    try:
        compiled(source, PURCHASE, currency="EUR")
    except ConditionFault as error:
        fault = error
    else:
        return
    assert 1 <= fault.line <= source.count("\n") + 1
    assert str(fault).encode().decode() == str(fault)


def test_an_amount_needs_a_currency() -> None:
    fault = fault_of('purchase.total > amount("3")', currency=None)
    assert fault.message == "amount(...) needs a currency, and none is given here: set `currency`"
    assert fault.column == 18

    assert fault_of('amount("3") > 1', currency="EURO").message == (
        "'EURO' is not an ISO 4217 currency code"
    )


def test_amounts_have_the_places_of_their_currency() -> None:
    assert fault_of('amount("2.5") > 3', "JPY").message.endswith("more than 0 decimal places (JPY)")
    assert compiled('amount("2.5") > 3', PURCHASE, currency="BHD").source == 'amount("2.5") > 3'


def test_a_condition_has_at_most_4000_characters() -> None:
    assert fault_of("purchase.total > 3" + " " * 4_000).message == "is longer than 4000 characters"
    assert compiled("purchase.total > 3".ljust(4_000), PURCHASE, currency=None).parts == (
        "purchase.total > 3",
    )


def test_a_condition_knows_the_names_of_its_own_vocabulary_only() -> None:
    with pytest.raises(ConditionFault, match=r"there is no name purchase\.total"):
        compiled("purchase.total > 3", ACTIVITY, currency=None)
