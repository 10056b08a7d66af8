"""A statement as a file: its figures, then its lines. CSV (RFC 4180) or JSON."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from enum import StrEnum

Row = Mapping[str, str | None]
COLUMNS = (
    "line", "kind", "of", "at", "unit", "points_out", "points_in", "fee",
    "currency", "amount", "charge", "ref", "disputed",
)  # fmt: skip
# A spreadsheet takes a cell that begins so for a formula, and the partner writes some of them.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ExportFormat(StrEnum):
    """How a file is written."""

    CSV = "CSV"
    JSON = "JSON"


def as_csv(figures: Row, lines: Sequence[Row]) -> str:
    """One row of figures under their names, an empty one, and the lines under theirs."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(figures)
    writer.writerow([text or "" for text in figures.values()])
    writer.writerow([])
    writer.writerow(COLUMNS)
    writer.writerows([_cell(name, line[name]) for name in COLUMNS] for line in lines)
    return out.getvalue()


def as_json(figures: Row, lines: Sequence[Row]) -> str:
    return json.dumps({**figures, "lines": [dict(line) for line in lines]}, indent=2) + "\n"


def _cell(name: str, text: str | None) -> str:
    if name == "ref" and text is not None and text.startswith(_FORMULA):
        return f"'{text}"
    return text or ""
