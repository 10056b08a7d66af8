"""How much of its machine an embedded PostgreSQL takes: memory for pages, disk for its log.

PostgreSQL's defaults are for a small machine. With 128 MB for pages, a ledger of millions fetches
every other row from the system and writes pages out before it may read; with 1 GB of log there is a
checkpoint every few seconds while lots end by the million, and after each one every page goes to
the log whole when it is next touched.
"""

import shutil
from pathlib import Path

import psutil

MB = 2**20
PAGES_LEAST, PAGES_MOST = 128, 8_192  # MB
PAGES_PART = 4  # of the memory: what PostgreSQL's manual begins with, for `shared_buffers`
LOG_LEAST, LOG_MOST = 1_024, 8_192  # MB
LOG_PART = 8  # of the disk that is free
LIMIT = Path("/sys/fs/cgroup/memory.max")  # a container's own, where it has less


def sized(folder: Path) -> dict[str, str]:
    """Settings for a server whose data lies in (or will be made below) `folder`."""
    return fitting(memory(), shutil.disk_usage(folder).free)


def fitting(memory: int, disk: int) -> dict[str, str]:
    """Settings by bytes of memory and disk. Memory is taken as pages come to be used, disk as the
    log is written."""
    return {
        "shared_buffers": _megabytes(memory // PAGES_PART, PAGES_LEAST, PAGES_MOST),
        "max_wal_size": _megabytes(disk // LOG_PART, LOG_LEAST, LOG_MOST),
        "checkpoint_timeout": "15min",
    }


def memory(limit: Path = LIMIT) -> int:
    """Bytes that nobody else uses now, at most what this container may have."""
    found = int(psutil.virtual_memory().available)
    try:
        return min(found, int(limit.read_text()))
    except (OSError, ValueError):  # there is no such file, or it says "max"
        return found


def _megabytes(wanted: int, least: int, most: int) -> str:
    return f"{max(least, min(most, wanted // MB))}MB"
