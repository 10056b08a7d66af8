"""The back-test that the guide shows prints what stands there, and writes what it says."""

import asyncio
import shlex
from datetime import date
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console

from loyalty_app.backtests import files
from loyalty_app.backtests.command import Wanted, backtest
from loyalty_app.settings import Settings

from .page import ROOT, blocks
from .stage import Stage

PAGE = ROOT / "docs" / "backtest.md"
WIDTH = 100


async def test_the_command_prints_what_the_page_shows(
    stage: Stage, worker_dsn: str, tmp_path: Path
) -> None:
    (draft,), (shown,) = blocks(PAGE, "yaml"), blocks(PAGE, "text")
    (command,) = blocks(PAGE, "bash")
    words = shlex.split(command.text.replace("\\\n", " "))
    given = {name: words[words.index(name) + 1] for name in words if name.startswith("--")}
    file = tmp_path / words[3]
    file.write_text(draft.text, "utf-8")
    wanted = Wanted(
        draft=file,
        tenant=given["--tenant"],
        since=date.fromisoformat(given["--from"]),
        before=date.fromisoformat(given["--to"]),
        cost_per_point=given["--cost-per-point"],
    )
    printed = StringIO()
    console = Console(file=printed, width=WIDTH, force_terminal=False)

    report, _ = await asyncio.to_thread(
        backtest, Settings(worker_database_url=worker_dsn), wanted, console
    )
    paths = [tmp_path / given["--chart"], tmp_path / "coffee.png", tmp_path / given["--csv"]]
    files.write(report, chart=paths[0], csv=paths[2])
    files.write(report, chart=paths[1], csv=None)

    assert lines(printed.getvalue()) == lines(shown.text)
    assert ElementTree.parse(paths[0]).getroot().tag.endswith("svg")
    assert paths[1].read_bytes().startswith(b"\x89PNG")
    assert paths[2].read_text("utf-8").startswith("part,unit,name,label")


def lines(text: str) -> list[str]:
    """Without the bars, which say how long it took."""
    return [line.rstrip() for line in text.splitlines() if line.strip() and "━━━━ " not in line]
