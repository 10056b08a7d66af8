"""Supervision: what dies is started again, what keeps dying is told."""

import asyncio
import sys
from pathlib import Path

import pytest

from loyalty_app import children
from loyalty_app.children import Child, run_all
from loyalty_app.problem import Problem
from loyalty_app.watchdog import EXIT_CODE


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "PAUSE_SECONDS", 0.01)


def python(code: str) -> Child:
    return Child(name="probe", command=(sys.executable, "-S", "-c", code))


async def test_a_child_that_keeps_failing_ends_it_all(tmp_path: Path) -> None:
    log = tmp_path / "log"
    failing = python(f"open({str(log)!r}, 'a').write('x'); raise SystemExit(3)")
    lasting = python("import time; time.sleep(60)")
    with pytest.raises(Problem, match=r"The probe process failed 3 times in a row \(exit code 3\)"):
        await run_all([lasting, failing], {})
    assert log.read_text() == "xxx"


async def test_a_child_that_dies_once_is_started_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = python(
        f"log = open({str(log)!r}, 'a+'); log.seek(0); again = log.read(); log.write('x')\n"
        "log.close()\n"
        "if again: import time; time.sleep(60)"
    )
    task = asyncio.create_task(run_all([child], {}))
    async with asyncio.timeout(10):
        while not log.exists() or log.read_text() != "xx":
            await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("ending", "how"),
    [
        (f"raise SystemExit({EXIT_CODE})", "exit code 70, by its watchdog"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGPROF)", "by its watchdog"),
        ("raise SystemExit(3)", "(exit code 3)"),
    ],
)
async def test_how_a_child_ended_is_told_each_time(
    ending: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Problem) as failed:
        await run_all([python(ending)], {})
    told = [record.getMessage() for record in caplog.records if "probe" in record.getMessage()]
    assert how in failed.value.what
    assert [how in message and "started again" in message for message in told] == [True, True]


async def test_a_child_that_does_not_listen_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "STOP_SECONDS", 0.1)
    ready = tmp_path / "ready"
    deaf = python(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(ready)!r}, 'w').close(); time.sleep(60)"
    )
    task = asyncio.create_task(run_all([deaf], {}))
    async with asyncio.timeout(10):
        while not ready.exists():
            await asyncio.sleep(0.02)
    task.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await task
