"""Faults: a platform of real processes for each worker of the run, and what each test needs of it.

Run by `make faults` (short) and `make soak` (long), not by `make test`.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.faults import report
from tests.faults.brand import Brand
from tests.faults.disk import may_mount
from tests.faults.faketime import FAKETIME
from tests.faults.load import Load, loading
from tests.faults.sizes import SIZES, Size
from tests.faults.stand import Stand, stand

ROOT = Path(__file__).parents[2]
PAGES = {"short": ROOT / "docs/reliability.md", "long": ROOT / "benchmarks/soak.md"}
SizeOf = Callable[[str | Size], int]
Loading = Callable[..., AbstractAsyncContextManager[Load]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="the long sizes, and what only they try")
    parser.addoption("--report", action="store_true", help="write what held into its page")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "soak: tried in the long run only")
    config.addinivalue_line("markers", "mounts: needs the right to mount a disk")
    config.addinivalue_line("markers", "faketime: needs libfaketime (Debian: libfaketime)")
    if config.getoption("--report") and not hasattr(config, "workerinput"):
        # A folder that is given is kept: the parts of a long run add to one table.
        given = os.environ.get(report.FOLDER) or tempfile.mkdtemp(prefix="loyalty-report-")
        os.environ[report.FOLDER] = given
        Path(given).mkdir(exist_ok=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this run does not try, or this machine cannot."""
    left_out = {
        name
        for name, tried in (
            ("soak", config.getoption("--soak")),
            ("mounts", may_mount()),
            ("faketime", FAKETIME is not None),
        )
        if not tried
    }
    gone = [item for item in items if left_out & {mark.name for mark in item.iter_markers()}]
    config.hook.pytest_deselected(items=gone)
    items[:] = [item for item in items if item not in gone]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    if exitstatus == 0 and config.getoption("--report") and not hasattr(config, "workerinput"):
        rows = report.rows_in(Path(os.environ[report.FOLDER]))
        report.write(PAGES["long" if config.getoption("--soak") else "short"], rows)


@pytest.fixture(scope="session")
def size(request: pytest.FixtureRequest) -> SizeOf:
    """How much of something this run tries: by its name in the table of sizes, or by itself."""
    long = request.config.getoption("--soak")

    def of(what: str | Size) -> int:
        found = SIZES[what] if isinstance(what, str) else what
        return found.long if long else found.short

    return of


@pytest.fixture(scope="session")
async def platform() -> AsyncIterator[Stand]:
    """The platform of this worker: tests leave it as they found it, every server running."""
    async with stand() as made:
        yield made


@pytest.fixture
async def brand(platform: Stand) -> AsyncIterator[Brand]:
    """A tenant of this test; processes that only this test started end with it."""
    yield await platform.brand()
    await platform.tidy()


@pytest.fixture
def put_load(platform: Stand) -> Loading:
    """Load on API processes: `async with put_load(brand, apis, rate=50) as load`."""

    def put(brand: Brand, apis: Any, **options: Any) -> AbstractAsyncContextManager[Load]:
        return loading(brand, apis, platform.folder, **options)

    return put
