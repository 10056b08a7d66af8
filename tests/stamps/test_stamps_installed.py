"""Installed as anybody's package: its own distribution, found by its entry point alone."""

import base64
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OURS = ("cashback", "partners", "points", "subscriptions")
ASK = """
from loyalty_app.installed import installed, migration_packages
from loyalty.plugin_set import PluginSet
print([plugin.name for plugin in PluginSet(installed()).plugins], migration_packages())
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder as an installer leaves it: the package's metadata and a link to its source."""
    metadata = tmp_path / "loyalty_stamps-1.0.dist-info"
    metadata.mkdir()
    files = {
        metadata / "METADATA": "Metadata-Version: 2.4\nName: loyalty-stamps\nVersion: 1.0\n",
        metadata / "WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nTag: py3-none-any\n",
        metadata / "entry_points.txt": "[loyalty.plugins]\nstamps = loyalty_stamps.plugin:plugin\n",
        tmp_path / "loyalty_stamps.pth": f"{HERE}\n",
    }
    for path, text in files.items():
        path.write_text(text)
    lines = [_recorded(path, tmp_path) for path in files]
    (metadata / "RECORD").write_text("\n".join([*lines, f"{metadata.name}/RECORD,,\n"]))
    return tmp_path


def _recorded(path: Path, root: Path) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=")
    return f"{path.relative_to(root)},sha256={digest.decode()},{path.stat().st_size}"


def _asked(*, site: Path | None) -> str:
    """What a new process finds; `site` is added as a place where packages are installed."""
    add = "" if site is None else f"import site; site.addsitedir({str(site)!r})\n"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", add + ASK],
        capture_output=True, text=True, cwd="/", env=environment, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_an_installed_plugin_is_found_with_its_tables(site: Path) -> None:
    assert _asked(site=site) == _found(*OURS, "stamps")


def test_what_is_not_installed_is_not_there() -> None:
    assert _asked(site=None) == _found(*OURS)


def _found(*plugins: str) -> str:
    """What a process with just these prints."""
    names = sorted(plugins)
    return f"{names} {['loyalty', 'loyalty_tenants', *(f'loyalty_{name}' for name in names)]}"
