"""Units: parsing, writing, rounding and sharing out, all in whole numbers."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.errors import Code, Refused
from loyalty.units import (
    MINOR_MAX,
    Rounding,
    apportion,
    currency_places,
    format_minor,
    parse_minor,
    rounded,
)

BY_DECIMAL = {
    Rounding.FLOOR: ROUND_FLOOR,
    Rounding.CEILING: ROUND_CEILING,
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
}


@given(st.integers(-MINOR_MAX, MINOR_MAX), st.integers(0, 6))
def test_what_is_written_is_read_again(minor: int, places: int) -> None:
    text = format_minor(minor, places)

    assert parse_minor(text, places, field="amount", signed=True) == minor
    assert Decimal(text) == Decimal(minor).scaleb(-places)
    assert len(text.partition(".")[2]) == places


@pytest.mark.parametrize(
    ("text", "places", "minor"),
    [
        ("12", 2, 1200), ("12.5", 2, 1250), ("012.50", 2, 1250), ("12.500", 2, 1250),
        ("0", 0, 0), ("7.000", 0, 7), ("9000000000000000", 0, MINOR_MAX),
    ],
)  # fmt: skip
def test_different_writings_of_one_amount_are_one_amount(
    text: str, places: int, minor: int
) -> None:
    assert parse_minor(text, places, field="amount") == minor


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", 2), ("-1", 2), ("+1", 2), ("1.234", 2), ("1e3", 2), ("1,5", 2), (" 1", 2), ("1 ", 2),
        ("1.", 2), (".5", 2), ("NaN", 2), ("Infinity", 2), ("٣", 2), ("1_0", 2), ("0x1", 2),
        ("9000000000000001", 0), ("1" * 41, 0), ("90000000000000.01", 2), ("1\n", 0),
    ],
)  # fmt: skip
def test_anything_but_a_plain_decimal_is_refused_with_its_field(text: str, places: int) -> None:
    with pytest.raises(Refused) as refused:
        parse_minor(text, places, field="lines.0.amount")

    assert (refused.value.code, refused.value.field) == (Code.BAD_AMOUNT, "lines.0.amount")


@pytest.mark.parametrize("text", ["9000000000000001", "9" * 20, "9" * 40, "1" * 35 + ".00"])
def test_a_plain_decimal_of_any_length_is_called_too_large(text: str) -> None:
    with pytest.raises(Refused, match="is too large"):
        parse_minor(text, 0, field="amount")


@given(st.integers(0, 10**9), st.integers(1, 10_000), st.sampled_from(list(Rounding)))
def test_rounding_is_what_decimal_arithmetic_says(over: int, under: int, how: Rounding) -> None:
    # A denominator that only has twos and fives is exact in decimals.
    exact = Fraction(over, 1) / Fraction(2**3 * 5**3)

    as_decimal = (Decimal(over) / Decimal(1000)).quantize(Decimal(1), rounding=BY_DECIMAL[how])
    assert rounded(exact, how) == int(as_decimal)
    # And for any denominator it is at most one away, on the named side.
    value = Fraction(over, under)
    gap = rounded(value, how) - value
    half = Fraction(1, 2)
    sides: dict[Rounding, tuple[Fraction, Fraction]] = {
        Rounding.FLOOR: (Fraction(-1), Fraction(0)),
        Rounding.CEILING: (Fraction(0), Fraction(1)),
        Rounding.HALF_UP: (-half, half),
        Rounding.HALF_EVEN: (-half, half),
    }
    low, high = sides[how]
    assert low <= gap <= high


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_shares_sum_to_the_whole_and_none_is_off_by_one(total: int, weights: list[int]) -> None:
    parts = apportion(total, weights)

    assert sum(parts) == total
    assert len(parts) == len(weights)
    assert all(part >= 0 for part in parts)
    if whole := sum(weights):
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part - Fraction(total * weight, whole)) < 1
            assert weight or not part


def test_ties_go_to_the_earlier_part() -> None:
    assert apportion(2, [1, 1, 1]) == [1, 1, 0]
    assert apportion(10, [0, 0]) == [10, 0]
    assert apportion(10, []) == []


def test_places_of_currencies() -> None:
    assert [currency_places(code) for code in ("USD", "JPY", "BHD", "XYZ", "usd")] == [
        2, 0, 3, None, None,
    ]  # fmt: skip
