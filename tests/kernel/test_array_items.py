"""Arrays that are handed over: what their items may be, and that nobody asks for it in Python."""

import sys
from collections import deque
from types import FrameType, MappingProxyType
from typing import Any

import pytest

from loyalty.database import Database

KEYS = "select array_agg(k.key order by k.n) from unnest($1::loyalty.key_in[]) with ordinality k(scope, key, n)"  # noqa: E501


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(("till", "1"), id="tuple"),
        pytest.param({"key": "1", "scope": "till"}, id="dict"),
        pytest.param(MappingProxyType({"key": "1", "scope": "till"}), id="read-only dict"),
    ],
)
async def test_a_row_of_an_array_is_a_tuple_or_a_mapping(database: Database, row: Any) -> None:
    assert await database.unscoped(KEYS, [row, ("till", "2")]) == ["1", "2"]


@pytest.mark.parametrize("form", [list, tuple, deque])
async def test_arrays_have_arrays_within(database: Database, form: Any) -> None:
    given = form([[1, 2], [3, 4]])
    assert await database.unscoped("select $1::int[]", given) == [[1, 2], [3, 4]]
    assert await database.unscoped("select $1::int[]", form([1, 2])) == [1, 2]
    with pytest.raises(Exception, match="non-homogeneous"):
        await database.unscoped("select $1::int[]", form([[1, 2], [3]]))


async def test_documents_are_no_arrays(database: Database) -> None:
    given = [{"a": [1]}, MappingProxyType({"b": 2}), "text", None]
    with pytest.raises(Exception, match="not JSON serializable: mapp"):  # which the codec says
        await database.unscoped("select $1::jsonb[]", given)
    assert await database.unscoped("select $1::jsonb[]", [{"a": [1]}, "x", 1, None]) == [
        {"a": [1]}, "x", 1, None,
    ]  # fmt: skip


async def test_no_row_is_asked_in_python_what_it_is(database: Database) -> None:
    rows = [("till", str(number)) for number in range(200)]
    await database.unscoped(KEYS, rows)
    asked = 0

    def note(frame: FrameType, event: str, _: Any) -> None:
        nonlocal asked
        asked += event == "call" and frame.f_code.co_name == "__instancecheck__"

    sys.setprofile(note)
    try:
        await database.unscoped(KEYS, rows)
    finally:
        sys.setprofile(None)
    assert asked < len(rows)
