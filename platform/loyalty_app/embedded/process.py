"""Server processes: started apart from the terminal, and never two over one folder.

A server's working folder is its data folder. By that its process is known for certain: ids in
files are reused by strangers after a crash or a restart of the machine.
"""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from loyalty_app.embedded.unprivileged import account

STOP_SECONDS = 20.0
KILL_SECONDS = 5.0
PAUSE_SECONDS = 0.02
PROGRAMS = ("postgres", "valkey-server")

Server = subprocess.Popen[bytes]


def start(command: Sequence[str | Path], *, folder: Path, log: Path, given: bytes = b"") -> Server:
    """Start a program in `folder`, in a session of its own: Ctrl-C must reach us, not it."""
    with log.open("ab") as output:
        process: Server = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
            **_identity(),
        )
    assert process.stdin is not None
    process.stdin.write(given)
    process.stdin.close()
    return process


def stop(process: Server, *, by: signal.Signals) -> None:
    """Ask, wait, then end it."""
    process.send_signal(by)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(KILL_SECONDS)


def end_leftovers(folder: Path, *, by: signal.Signals) -> int:
    """End the servers that an earlier, crashed run left in `folder`; returns how many processes.

    The oldest is asked first: it is the one that stops the others in good order.
    """
    found = sorted(_working_in(folder), key=lambda process: process.pid)
    if not found:
        return 0
    _signal(min(found, key=lambda process: process.create_time()), by)
    for process in _left_after(STOP_SECONDS, found):
        _signal(process, signal.SIGKILL)
    _left_after(KILL_SECONDS, found)
    return len(found)


def _left_after(seconds: float, processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those still at work; a zombie (nobody reaps orphans in some containers) is at its end."""
    deadline = time.monotonic() + seconds
    while (left := [one for one in processes if _works(one)]) and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
    return left


def _works(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _working_in(folder: Path) -> list[psutil.Process]:
    wanted = str(folder.resolve())
    found = []
    for process in psutil.process_iter():
        try:
            # By name as well: a shell of the user's may stand in that folder.
            if process.name() in PROGRAMS and process.cwd() == wanted:
                found.append(process)
        except (psutil.Error, OSError):
            continue  # gone by now, or another user's: then it is not ours
    return found


def _signal(process: psutil.Process, what: signal.Signals) -> None:
    try:
        process.send_signal(what)
    except psutil.NoSuchProcess:
        return


def _identity() -> dict[str, Any]:
    who = account()
    if who is None:
        return {}
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
