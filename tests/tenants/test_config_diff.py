"""What differs between two configs."""

from typing import Any

import pytest

from loyalty_tenants.config_diff import ChangeKind, changes

ONE = {"id": "one", "points": "1"}
TWO = {"id": "two", "points": "2"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("config.a", "CHANGED", 1, 2)]),
        ({"a": 1}, {"a": True}, [("config.a", "CHANGED", 1, True)]),
        ({"a": None}, {}, [("config.a", "REMOVED", None, None)]),
        ({}, {"a": {"b": 1}}, [("config.a", "ADDED", None, {"b": 1})]),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [("config.a.b", "CHANGED", 1, 2)]),
        ({"a": {"b": 1}}, {"a": None}, [("config.a", "CHANGED", {"b": 1}, None)]),
        ({"a": ["x"]}, {"a": ["x", "y"]}, [("config.a", "CHANGED", ["x"], ["x", "y"])]),
        ({"r": [ONE, TWO]}, {"r": [ONE, {**TWO, "points": "3"}]},
         [("config.r[two].points", "CHANGED", "2", "3")]),
        ({"r": [ONE]}, {"r": [TWO, ONE]}, [("config.r[two]", "ADDED", None, TWO)]),
        ({"r": [ONE, TWO]}, {"r": [TWO]}, [("config.r[one]", "REMOVED", ONE, None)]),
        ({"r": [ONE, TWO]}, {"r": [TWO, ONE]},
         [("config.r", "REORDERED", ["one", "two"], ["two", "one"])]),
        ({"r": [ONE, ONE]}, {"r": [ONE]}, [("config.r", "CHANGED", [ONE, ONE], [ONE])]),
        ({"r": [{"category": "a", "points": "1"}]}, {"r": [{"category": "a", "points": "2"}]},
         [("config.r[a].points", "CHANGED", "1", "2")]),
    ],
)  # fmt: skip
def test_each_key_that_differs_is_named_once(before: Any, after: Any, expected: Any) -> None:
    found = changes(before, after)

    assert [(one.path, one.kind, one.before, one.after) for one in found] == [
        (path, ChangeKind(kind), old, new) for path, kind, old, new in expected
    ]
