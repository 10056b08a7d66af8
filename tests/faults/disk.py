"""A small disk under a part of a stopped PostgreSQL's data: a tmpfs, which only root may mount."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CHUNK = 256 * 1024


class SmallDisk:
    """Mounted at `folder`; `fill` leaves nothing free, `free` gives it back."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            for size in (CHUNK, 512):
                try:
                    while file.write(b"x" * size) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Put what is in `folder` on a disk with this much room beside it, while the block runs."""
    kept, user = folder.with_name(f"{folder.name}.kept"), folder.stat()
    folder.rename(kept)
    folder.mkdir(mode=0o700)
    used = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file()) >> 20
    room = f"size={used + megabytes}m,mode=700,uid={user.st_uid},gid={user.st_gid}"
    command = ["mount", "-t", "tmpfs", "-o", room, "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        folder.rmdir()
        kept.rename(folder)
        pytest.skip("needs the right to mount a tmpfs")
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        for path in folder.rglob("*"):
            os.chown(path, user.st_uid, user.st_gid)
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(kept, ignore_errors=True)
