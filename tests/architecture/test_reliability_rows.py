"""Each fault that is tried has its row in the table of docs/reliability.md."""

import re
from pathlib import Path

from tests.architecture.sources import REPO
from tests.faults import report
from tests.faults.report import BEGIN, END, HEADER, Row

FAULTS = REPO / "tests" / "faults"
PAGE = REPO / "docs" / "reliability.md"
PLACE = re.compile(r"place=(\d+),")
NAME = re.compile(r'what="([^"]+)",')


def test_each_fault_leaves_a_row() -> None:
    for path in FAULTS.glob("test_*.py"):
        text = path.read_text("utf-8")
        assert text.count("def test_") == text.count("report.note("), path.name


def test_each_row_has_a_place_of_its_own() -> None:
    places = [one for path in FAULTS.glob("test_*.py") for one in PLACE.findall(path.read_text())]
    assert len(places) == len(set(places))


def test_the_page_has_each_fault_of_the_short_run_and_no_other() -> None:
    texts = [path.read_text("utf-8") for path in FAULTS.glob("test_*.py")]
    tried = {one for text in texts if "mark.soak" not in text for one in NAME.findall(text)}
    assert len(tried) > 30
    assert set(_names(PAGE)) == tried


def test_a_part_of_a_run_leaves_the_other_rows(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Said first.\n\n{BEGIN}\n{END}\n\nSaid last.\n", "utf-8")
    report.write(page, [_row(10, "one", "1 s"), _row(30, "three", "3 s")])
    report.write(page, [_row(20, "two", "2 s"), _row(30, "three", "4 s"), _row(40, "four", "5 s")])
    assert page.read_text("utf-8") == "\n".join(
        [
            "Said first.", "", BEGIN, *HEADER.splitlines(),
            "| one | tried | held | 1 s |", "| two | tried | held | 2 s |",
            "| three | tried | held | 4 s |", "| four | tried | held | 5 s |",
            END, "", "Said last.", "",
        ]
    )  # fmt: skip


def _names(page: Path) -> list[str]:
    between = page.read_text("utf-8").partition(BEGIN)[2].partition(END)[0].strip()
    return [report.name_of(line) for line in between.splitlines()[2:]]


def _row(place: int, what: str, measured: str) -> Row:
    return Row(place=place, what=what, tried="tried", held="held", measured=measured)
