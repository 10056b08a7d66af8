"""A worker process."""

from collections.abc import Mapping
from pathlib import Path

from tests.faults.child import Child


class Worker(Child):
    def __init__(self, name: str, *, settings: Mapping[str, str], folder: Path) -> None:
        super().__init__(name, "worker", settings=settings, log=folder / f"{name}.log")
