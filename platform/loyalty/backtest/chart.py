"""A report as a picture: net points by month and by rule, published beside draft. SVG, no library.

It is readable on white and on black: colours follow the reader's scheme, unless `plain` asks for
one that needs no style sheets of the reader's (for a rasteriser).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from loyalty.backtest.report import Report
from loyalty.units import format_minor

WIDTH, LEFT, RIGHT, TOP = 960, 90, 30, 96
PLOT, GAP, ROW, LABELS = 220, 74, 44, 250
RULES_SHOWN = 20
TICKS = 4

LIGHT = {"ink": "#1b1f24", "soft": "#57606a", "grid": "#d0d7de", "paper": "#ffffff",
         "published": "#8c96a0", "draft": "#0b6bcb"}  # fmt: skip
DARK = {"ink": "#f0f3f6", "soft": "#b1bac4", "grid": "#3d444d", "paper": "#0d1117",
        "published": "#9aa4af", "draft": "#58a6ff"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """One name with what it came to on each side, in minor units."""

    name: str
    published: int
    draft: int


def chart(report: Report, unit: str | None = None, *, plain: bool = False) -> str:
    """The chart of one unit (None: the first); without any points, a picture that says so."""
    found = next((one for one in report["units"] if unit in (None, one["unit"])), None)
    months = [] if found is None else [_bar(row["month"], row) for row in found["months"]]
    rules = [
        _bar(row["label"] or row["rule"], row)
        for row in report["rules"]
        if found is not None and row["unit"] == found["unit"]
    ][:RULES_SHOWN]
    places = 0 if found is None else found["places"]
    height = TOP + PLOT + GAP + ROW * len(rules) + 30
    body = [*_head(report, found), *_months(months, places), *_rules(rules, places)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img" aria-labelledby="title">',
            f'<title id="title">{escape(_title(report))}</title>',
            f"<style>{_style(plain)}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
            *body,
            "</svg>",
            "",
        ]
    )


def _style(plain: bool) -> str:
    fonts = "text{font:13px system-ui,'DejaVu Sans',sans-serif}.big{font-size:18px}"
    light = fonts + _colours(LIGHT)
    return light if plain else f"{light}@media(prefers-color-scheme:dark){{{_colours(DARK)}}}"


def _colours(of: Mapping[str, str]) -> str:
    return (
        f"text{{fill:{of['ink']}}}.soft{{fill:{of['soft']}}}.paper{{fill:{of['paper']}}}"
        f".grid{{stroke:{of['grid']}}}.published{{fill:{of['published']}}}"
        f".draft{{fill:{of['draft']}}}"
    )


def _title(report: Report) -> str:
    since, before = report["since"][:10], report["before"][:10]
    return f"Back-test of {report['program']}, {since} to {before}"


def _head(report: Report, unit: Mapping[str, Any] | None) -> Iterator[str]:
    yield _text(LEFT, 32, _title(report), "big")
    if unit is None:
        yield _text(LEFT, 60, "Nothing was granted on either side.", "soft")
        return
    x = LEFT
    for side in ("published", "draft"):
        net = format_minor(unit[side]["granted"] - unit[side]["taken"], unit["places"])
        told = f"{side}: {_grouped(net)} {unit['unit']} net of returns"
        yield f'<rect class="{side}" x="{x}" y="49" width="12" height="12" rx="2"/>'
        yield _text(x + 18, 60, told)
        x += 40 + 8 * len(told)


def _months(bars: Sequence[Bar], places: int) -> Iterator[str]:
    if not bars:
        return
    low, high = _range(bars)
    step = (WIDTH - LEFT - RIGHT) / len(bars)

    def y(value: float) -> float:
        return TOP + PLOT * (high - value) / (high - low)

    for tick in range(TICKS + 1):
        value = low + (high - low) * tick // TICKS
        yield _line(LEFT, y(value), WIDTH - RIGHT, y(value))
        yield _text(LEFT - 8, y(value) + 4, _grouped(format_minor(value, places)), "soft", "end")
    width, every = max(min(step * 0.36, 40), 1), 1 + len(bars) // 18
    for index, bar in enumerate(bars):
        middle = LEFT + step * (index + 0.5)
        for side, value, x in (
            ("published", bar.published, middle - width - 1),
            ("draft", bar.draft, middle + 1),
        ):
            top, bottom = y(max(value, 0)), y(min(value, 0))
            yield _rect(side, x, top, width, bottom - top, f"{bar.name} {side}: {value}", places)
        if index % every == 0:
            yield _text(middle, TOP + PLOT + 20, bar.name, "soft", "middle")


def _rules(bars: Sequence[Bar], places: int) -> Iterator[str]:
    if not bars:
        return
    low, high = _range(bars)
    wide, start = WIDTH - LABELS - RIGHT - 110, TOP + PLOT + GAP
    yield _text(LEFT, start - 18, "By rule")

    def x(value: float) -> float:
        return LABELS + wide * (value - low) / (high - low)

    for index, bar in enumerate(bars):
        top = start + ROW * index
        yield _text(LABELS - 10, top + 20, _short(bar.name), "soft", "end")
        for side, value, y in (
            ("published", bar.published, top), ("draft", bar.draft, top + 16),
        ):  # fmt: skip
            left, right = x(min(value, 0)), x(max(value, 0))
            yield _rect(side, left, y, right - left, 14, f"{bar.name} {side}: {value}", places)
            yield _text(right + 6, y + 12, _grouped(format_minor(value, places)), "soft")


def _bar(name: str, row: Mapping[str, Any]) -> Bar:
    published, draft = (
        row[side]["granted"] - row[side]["taken"] for side in ("published", "draft")
    )
    return Bar(name, published, draft)


def _range(bars: Sequence[Bar]) -> tuple[int, int]:
    """From nothing or less to a round figure that nothing passes."""
    values = [value for bar in bars for value in (bar.published, bar.draft)]
    return -_round(-min(0, *values)), _round(max(1, *values))


def _round(value: int) -> int:
    """The next 1, 2, 2.5 or 5 followed by zeros."""
    if value <= 0:
        return 0
    magnitude: int = 10 ** max(len(str(value)) - 2, 0)
    steps = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)
    return next(step * magnitude for step in steps if step * magnitude >= value)


def _text(x: float, y: float, said: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="grid" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _rect(
    side: str, x: float, y: float, width: float, height: float, said: str, places: int
) -> str:
    name, _, value = said.rpartition(" ")
    told = escape(f"{name} {_grouped(format_minor(int(value), places))}")
    return (
        f'<rect class="{side}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}"><title>{told}</title></rect>'
    )


def _grouped(number: str) -> str:
    whole, point, part = number.partition(".")
    return f"{int(whole):,}{point}{part}" if whole != "-0" else number


def _short(name: str, most: int = 32) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
