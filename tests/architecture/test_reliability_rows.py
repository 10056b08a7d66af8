"""Each fault that is tried has its row in the table of docs/reliability.md."""

import re

from tests.architecture.sources import REPO

FAULTS = REPO / "tests" / "faults"
PLACE = re.compile(r"place=(\d+),")


def test_each_fault_leaves_a_row() -> None:
    for path in FAULTS.glob("test_*.py"):
        text = path.read_text("utf-8")
        assert text.count("def test_") == text.count("report.note("), path.name


def test_each_row_has_a_place_of_its_own() -> None:
    places = [one for path in FAULTS.glob("test_*.py") for one in PLACE.findall(path.read_text())]
    assert len(places) == len(set(places))
