"""Forget everything that `loyalty up` keeps in its data folder."""

import shutil
import signal
from contextlib import suppress
from pathlib import Path

from loyalty_app import running
from loyalty_app.alone import alone

MADE = ("secrets.json", "demo.json")


def reset(data_dir: Path) -> bool:
    """End what a crash left running and delete the data; returns whether there was any.

    Only what `up` made is deleted: the folder may be one that holds other things too.

    :raises Problem: the platform is running there
    """
    if not data_dir.exists():
        return False
    with alone(data_dir):
        servers = data_dir / "servers"
        there = servers.exists()
        if there:
            _end_servers(servers.resolve())
            shutil.rmtree(servers.resolve())
        servers.unlink(missing_ok=True)
        for name in MADE:
            (data_dir / name).unlink(missing_ok=True)
        running.forget(data_dir)
        (data_dir / "lock").unlink()
    with suppress(OSError):
        data_dir.rmdir()
    return there


def _end_servers(home: Path) -> None:
    try:
        from loyalty_app.embedded import process
    except ImportError:
        return  # without the extra there is no embedded server
    process.end_leftovers(home / "postgres", by=signal.SIGINT)
    process.end_leftovers(home / "valkey", by=signal.SIGTERM)
