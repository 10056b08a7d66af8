"""What came out: rows of one table, and the same as JSON."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

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
        ratio=None if than is None else round(ours.rate / than.rate, 2),
        note=note,
    )


def show(rows: Iterable[Row], console: Console) -> None:
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
    console.width = max(console.width, WIDTH)
    console.print(table)


def as_json(rows: Iterable[Row]) -> list[dict[str, object]]:
    return [asdict(one) for one in rows]
