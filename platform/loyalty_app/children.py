"""The processes that `loyalty up` runs beside each other: kept running, ended together."""

import asyncio
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from loyalty_app.parent import MARK
from loyalty_app.problem import Problem
from loyalty_app.watchdog import EXIT_CODE, SIGNAL

STOP_SECONDS = 10.0
PAUSE_SECONDS = 1.0
SETTLED_SECONDS = 30.0  # whatever ran this long had started well: the count begins anew
FAILURES_MAX = 3
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process: its name in messages, and its command line."""

    name: str
    command: tuple[str, ...]


def loyalty(name: str, *arguments: str) -> Child:
    """A command of our own as a child."""
    return Child(name=name, command=(sys.executable, "-m", "loyalty_app", *arguments))


async def run_all(children: Sequence[Child], environment: Mapping[str, str]) -> NoReturn:
    """Keep the children running until this task is cancelled or one of them is beyond help.

    :raises Problem: a child failed several times in a row
    """
    tasks = [asyncio.create_task(_keep_running(child, environment)) for child in children]
    try:
        if tasks:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            done.pop().result()
        await asyncio.Event().wait()  # with no child there is still something to wait for
        raise AssertionError("nobody sets that event")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_running(child: Child, environment: Mapping[str, str]) -> NoReturn:
    failures = 0
    while True:
        started = time.monotonic()
        code = await _run_once(child, environment)
        failures = 1 if time.monotonic() - started > SETTLED_SECONDS else failures + 1
        if failures >= FAILURES_MAX:
            raise Problem(
                f"The {child.name} process failed {failures} times in a row ({_how(code)})",
                "Its last messages above say why; `loyalty doctor` checks what it stands on",
            )
        log.warning("the %s process ended (%s): it is started again", child.name, _how(code))
        await asyncio.sleep(PAUSE_SECONDS)


def _how(code: int) -> str:
    """How a process ended, for who reads it."""
    if code in (EXIT_CODE, -SIGNAL):
        return f"exit code {code}, by its watchdog: something never returned"
    return f"exit code {code}"


async def _run_once(child: Child, environment: Mapping[str, str]) -> int:
    """Run the child to its end; ends it when this task is cancelled."""
    process = await asyncio.create_subprocess_exec(
        *child.command,
        stdin=asyncio.subprocess.PIPE,
        env={**os.environ, **environment, MARK: "1"},
        start_new_session=True,  # Ctrl-C reaches `up` alone, which stops things in order
    )
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
