"""What an embedded PostgreSQL takes of its machine."""

from pathlib import Path

import psutil
import pytest

from loyalty_app.embedded.sizing import fitting, memory

GB = 2**30


@pytest.mark.parametrize(
    ("found", "disk", "pages", "log"),
    [
        (16 * GB, 40 * GB, "4096MB", "5120MB"),
        (GB, 2 * GB, "256MB", "1024MB"),
        (GB // 8, GB // 8, "128MB", "1024MB"),
        (512 * GB, 4_000 * GB, "8192MB", "8192MB"),
    ],
    ids=["a machine", "a small one", "as PostgreSQL's defaults", "a big one"],
)
def test_pages_take_a_quarter_of_the_memory_and_the_log_an_eighth_of_the_disk(
    found: int, disk: int, pages: str, log: str
) -> None:
    settings = fitting(found, disk)
    assert (settings["shared_buffers"], settings["max_wal_size"]) == (pages, log)


def test_a_container_counts_its_own_memory(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text("1000000\n")
    assert memory(limit) == 1_000_000

    limit.write_text("max\n")
    machine = psutil.virtual_memory().total
    assert 1_000_000 < memory(limit) <= machine
    assert 1_000_000 < memory(tmp_path / "none") <= machine
