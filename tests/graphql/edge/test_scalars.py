"""Amounts as text, instants with an offset, JSON within bounds."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from loyalty_graphql.scalars import (
    parse_decimal,
    parse_instant,
    parse_items,
    parse_json,
    show_decimal,
    show_instant,
)

EARLY, LATE = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (2, 9_998))
REDEEM = "mutation ($a: Decimal!) { redeem(amount: $a) }"


@pytest.mark.parametrize("text", ["12.50", "1e5", "NaN", "-0", "", "abc", "９", "9" * 40])
async def test_any_short_text_reaches_the_mutation_as_it_is(edge: Any, text: str) -> None:
    assert await edge.ask(REDEEM, variables={"a": text}) == {"data": {"redeem": text}}


@pytest.mark.parametrize("value", [12.5, 0, -1, 2**53 + 1, 2**63, True, [], {}, "9" * 41])
async def test_what_is_no_short_text_is_refused_with_what_to_send(edge: Any, value: Any) -> None:
    (error,) = (await edge.ask(REDEEM, variables={"a": value}))["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    expected = "at most 40 characters" if isinstance(value, str) else "send amounts as strings"
    assert expected in error["message"]
    assert edge.ran == []


@pytest.mark.parametrize("literal", ["12.5", "5", "true", "1e400", "FIVE", "{}"])
async def test_number_literals_are_refused_too(edge: Any, literal: str) -> None:
    (error,) = (await edge.ask(f"mutation {{ redeem(amount: {literal}) }}"))["errors"]
    assert "send amounts as strings" in error["message"]
    assert edge.ran == []


def test_an_amount_is_shown_as_the_text_it_is() -> None:
    assert show_decimal("1.00") == "1.00"
    with pytest.raises(GraphQLError):
        show_decimal(1.0)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01T12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01t12:00:00z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01 13:30:00+01:30", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00.5-00:00", datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-03-01T12:00:00.123456789Z", datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)),
    ],
)
def test_rfc_3339_is_read(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant
    assert parse_instant(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ("2026-03-01T12:00:00", "name the offset"),
        ("2026-03-01", "RFC 3339"),
        ("2026-W09-7T12:00:00Z", "RFC 3339"),
        ("20260301T120000Z", "RFC 3339"),
        ("2026-03-01T12:00Z", "RFC 3339"),
        ("２026-03-01T12:00:00Z", "RFC 3339"),
        ("2026-02-30T12:00:00Z", "no such instant"),
        ("2026-03-01T24:00:01Z", "no such instant"),
        ("2026-03-01T12:00:60Z", "no such instant"),
        ("2026-03-01T12:00:00+24:00", "no such instant"),
        ("0001-01-01T00:00:00+10:00", "no such instant"),
        ("9999-12-31T23:59:59-10:00", "no such instant"),
        (1_772_366_400, "RFC 3339"),
        (None, "RFC 3339"),
    ],
)
def test_what_is_no_instant_is_refused_with_what_to_send(value: object, advice: str) -> None:
    with pytest.raises(GraphQLError, match=advice):
        parse_instant(value)


@given(st.datetimes(EARLY, LATE), st.integers(-14 * 60, 14 * 60))
def test_an_instant_is_shown_as_it_is_read(naive: datetime, minutes: int) -> None:
    given_at = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    shown = show_instant(given_at)
    assert shown.endswith("Z")
    assert parse_instant(shown) == given_at


def test_a_naive_instant_is_never_shown() -> None:
    with pytest.raises(GraphQLError):
        show_instant(datetime(2026, 3, 1))  # noqa: DTZ001


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "bound"),
    [
        (nested(9), "levels deep"),
        ({"a": ["x"] * 101}, "100 entries"),
        ({str(n): n for n in range(101)}, "100 entries"),
        ({"a": "x" * 4_097}, "4096 characters"),
        ({f"{n}" * 50: 1 for n in range(10, 60)}, "names"),
        ({"a": "\0"}, "NUL"),
        ({"\0": "a"}, "NUL"),
        (["\ud800"], "surrogates"),
        ({"a": object()}, "not a JSON value"),
        ({"a": 2**64}, "64 bits"),
        ([-(2**63) - 1], "64 bits"),
        ({"a": float("inf")}, "64 bits"),
        (float("nan"), "64 bits"),
    ],
)
def test_json_has_bounds(value: Any, bound: str) -> None:
    with pytest.raises(GraphQLError, match=bound):
        parse_json(value)


def test_json_within_its_bounds_is_kept_as_it_is() -> None:
    numbers = [2**64 - 1, -(2**63), 1.5, 1e308]
    value: object = {
        "deep": nested(7), "text": "x" * 4_096, "many": list(range(100)), "none": None,
        "numbers": numbers,
    }  # fmt: skip
    assert parse_json(value) == value


async def test_json_literals_have_the_same_bounds(edge: Any) -> None:
    given_as = 'externalId: "1", lines: [], attributes: {a: [1, {b: "c"}]}'
    fine = f"mutation {{ record(input: {{{given_as}}}) {{ total }} }}"
    assert "errors" not in await edge.ask(fine)
    deep = fine.replace('[1, {b: "c"}]', "[" * 9 + "]" * 9)
    assert "levels deep" in (await edge.ask(deep))["errors"][0]["message"]
    for number in ("9" * 30, "1e400"):  # JSON of a variable is read by a parser that has neither
        beyond = fine.replace('[1, {b: "c"}]', number)
        assert "64 bits" in (await edge.ask(beyond))["errors"][0]["message"]


def test_a_batch_has_at_most_500_items() -> None:
    assert len(parse_items([{}] * 500)) == 500
    with pytest.raises(GraphQLError, match="at most 500 items, this one 501"):
        parse_items([{}] * 501)
    with pytest.raises(GraphQLError, match="as a list"):
        parse_items({})


def test_a_decimal_is_text_also_where_a_bool_would_pass_for_a_number() -> None:
    with pytest.raises(GraphQLError, match="as strings"):
        parse_decimal(True)
