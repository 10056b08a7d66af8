"""The chart as PNG, by resvg (the extra `charts`)."""

from loyalty.backtest.chart import chart
from loyalty.backtest.report import Report
from loyalty_app.problem import Problem

TWICE = 2.0  # sharp on every screen


def png(report: Report) -> bytes:
    """:raises Problem: the extra `charts` is not installed"""
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise Problem(
            "A chart as PNG needs the extra `charts`",
            "pip install 'loyalty-platform[charts]', or name a file that ends in .svg",
        ) from None
    picture: bytes = svg_to_bytes(svg_string=chart(report, plain=True), zoom=TWICE)
    return picture
