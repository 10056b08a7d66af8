"""Where a report is written to: a chart as SVG or PNG, the figures as CSV."""

from pathlib import Path

from loyalty.backtest.chart import chart as drawn
from loyalty.backtest.report import Report
from loyalty.backtest.spreadsheet import spreadsheet
from loyalty_app.backtests.picture import png
from loyalty_app.problem import Problem

ENDINGS = (".svg", ".png")


def check_path(chart: Path | None) -> None:
    """Before anything is walked.

    :raises Problem: a chart is asked for as something that it cannot be
    """
    if chart is not None and chart.suffix.lower() not in ENDINGS:
        raise Problem(f"{chart} is neither .svg nor .png", "Name the chart so that it ends in one")


def write(report: Report, *, chart: Path | None, csv: Path | None) -> list[Path]:
    """Write what was asked for; answers the files."""
    if chart is not None and chart.suffix.lower() == ".png":
        chart.write_bytes(png(report))
    elif chart is not None:
        chart.write_text(drawn(report), "utf-8")
    if csv is not None:
        csv.write_text(spreadsheet(report), "utf-8", newline="")
    return [path for path in (chart, csv) if path is not None]
