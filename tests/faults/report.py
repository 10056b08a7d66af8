"""What held, as a table that the tests write themselves: `make faults REPORT=1`.

Each test leaves its rows in a folder; the process that began the run puts them between the markers
of the page, where those of what it did not try stay. Without REPORT nothing is written.
"""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

FOLDER = "LOYALTY_FAULTS_REPORT"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEADER = "| what happens | how it is tried | what held | measured |\n|---|---|---|---|"
NOISE = 3  # a busy machine is given three times what is promised


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    place: int  # in the table
    what: str
    tried: str
    held: str
    measured: str


def note(row: Row) -> None:
    """Keep a row, where a report is asked for. A test calls it last, when all its checks held."""
    if folder := os.environ.get(FOLDER):
        path = Path(folder) / f"{row.place:03d}-{os.getpid()}-{abs(hash(row)):x}.json"
        path.write_bytes(orjson.dumps(asdict(row)))


def rows_in(folder: Path) -> list[Row]:
    """The newest row of each name: a part of a run may have been repeated."""
    paths = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
    found = (Row(**orjson.loads(path.read_bytes())) for path in paths)
    newest = {(row.place, row.what): row for row in found}
    return [newest[name] for name in sorted(newest)]


def line(row: Row) -> str:
    return f"| {row.what} | {row.tried} | {row.held} | {row.measured} |"


def write(page: Path, rows: Sequence[Row]) -> None:
    """Put rows between the markers of the page, each in the place of the one with its name.

    Rows that this run did not try stay: most runs try a part.
    """
    text = page.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    between, found, after = rest.partition(END)
    assert found, f"{page} lacks the markers {BEGIN} and {END}"
    kept = [line for line in between.strip().splitlines() if line not in HEADER.splitlines()]
    lines = "\n".join([HEADER, *_merged(kept, rows)])
    page.write_text(f"{before}{BEGIN}\n{lines}\n{END}{after}", "utf-8")


def name_of(line: str) -> str:
    return line.split(" | ")[0].removeprefix("| ")


def _merged(kept: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """`rows` come in the order of their places; one of a new name comes before the next of them
    that the page has."""
    fresh = {row.what: line(row) for row in rows}
    lines = {name_of(one): one for one in kept}
    order = list(lines)
    at = len(order)
    for row in reversed(rows):
        if row.what in lines:
            at = order.index(row.what)
        else:
            order.insert(at, row.what)
    return [fresh.get(name) or lines[name] for name in order]


def within(promised: float, measured: float, what: str) -> None:
    """A bound in seconds, with room for a busy machine; the report has the measured value."""
    assert measured <= NOISE * promised, f"{what}: {measured:.2f} s, promised are {promised:g} s"
