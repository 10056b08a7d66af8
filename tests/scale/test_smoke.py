from pathlib import Path

import pytest

from .smoke import SMOKE

TESTS = Path(__file__).parent.parent


def test_the_smoke_part_names_files_that_are_there() -> None:
    assert [name for name in SMOKE if not (TESTS / name).is_file()] == []


def test_what_it_names_is_marked(request: pytest.FixtureRequest) -> None:
    marked = {
        item.path.relative_to(TESTS).as_posix()
        for item in request.session.items
        if item.get_closest_marker("smoke")
    }
    collected = {item.path.relative_to(TESTS).as_posix() for item in request.session.items}
    assert marked == collected & set(SMOKE)
