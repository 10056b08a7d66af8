"""What came out of a case: a table to read, and one line of JSON to keep."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.meter import Sample

WIDTH = 150  # also where the output goes to a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement: a rate a second, CPU in microseconds a unit, and what the rate is of."""

    case: str
    unit: str
    rate: float
    python_us: float
    postgres_us: float
    against: str = ""
    ratio: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What a figure is to be: at least, or (`most`) at most, the limit."""

    figure: str
    value: float
    limit: float
    most: bool = False

    @property
    def met(self) -> bool:
        return self.value <= self.limit if self.most else self.value >= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`ratio` is the one that its letter is about; the bars name it and what else is promised."""

    case: str
    ratio: float | None = None
    rows: Sequence[Row] = ()
    bars: Sequence[Bar] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """One JSON object."""
        bars = {
            bar.figure: {"is": bar.value, "at_most" if bar.most else "at_least": bar.limit,
                         "met": bar.met}
            for bar in self.bars
        }  # fmt: skip
        shown = {"case": self.case, "ratio": self.ratio, "bars": bars, **self.figures}
        return orjson.dumps({**shown, "rows": [asdict(row) for row in self.rows]}).decode()


def row(
    case: str, unit: str, ours: Sample, *, against: str = "", than: Sample | None = None,
    note: str = "",
) -> Row:  # fmt: skip
    return Row(
        case=case,
        unit=unit,
        rate=round(ours.rate, 1),
        python_us=round(1e6 * ours.python / ours.units),
        postgres_us=round(1e6 * ours.postgres / ours.units),
        against=against if than is None else f"{against} {than.rate:,.0f}/s",
        ratio=None if than is None else ratio(ours, than),
        note=note,
    )


def ratio(ours: Sample, than: Sample) -> float:
    return round(ours.rate / than.rate, 2)


def show(result: Result, console: Console) -> None:
    """The table, what was promised, and as the last line the JSON."""
    console.width = max(console.width, WIDTH)
    if result.rows:
        console.print(_table(result.rows))
    for bar in result.bars:
        side = "at most" if bar.most else "at least"
        verdict = "" if bar.met else "  MISSED"
        console.print(f"{result.case}: {bar.figure} {bar.value:g}, {side} {bar.limit:g}{verdict}")
    console.file.write(f"{result.line()}\n")  # as it is: neither wrapped nor coloured
    console.file.flush()


def _table(rows: Iterable[Row]) -> Table:
    table = Table("case", "per second", "Python µs", "Postgres µs", "against", "ratio", "note")
    for one in rows:
        table.add_row(
            one.case,
            f"{one.rate:,.0f} {one.unit}",
            f"{one.python_us:,}",
            f"{one.postgres_us:,}",
            one.against,
            "" if one.ratio is None else f"{one.ratio:.2f}",
            one.note,
        )
    return table
