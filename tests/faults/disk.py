"""A small disk under a part of a stopped PostgreSQL's data: a tmpfs, which only root may mount."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

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


def may_mount() -> bool:
    """Whether this process has the right to: root of a machine has, of a container hardly ever."""
    with TemporaryDirectory() as folder:
        tried = subprocess.run(_mount(Path(folder), "size=1m"), capture_output=True, check=False)
        if tried.returncode == 0:
            subprocess.run(["umount", folder], check=True)
        return tried.returncode == 0


def _mount(folder: Path, options: str) -> list[str]:
    return ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Put what is in `folder` on a disk with this much room beside it, while the block runs."""
    kept, user = folder.with_name(f"{folder.name}.kept"), folder.stat()
    folder.rename(kept)
    folder.mkdir(mode=0o700)
    used = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file()) >> 20
    room = f"size={used + megabytes}m,mode=700,uid={user.st_uid},gid={user.st_gid}"
    subprocess.run(_mount(folder, room), check=True)
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        for path in folder.rglob("*"):
            os.chown(path, user.st_uid, user.st_gid)
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(kept, ignore_errors=True)
