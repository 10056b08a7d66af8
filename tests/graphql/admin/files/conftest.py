"""Commands as the tenant's admin, and a file in their folder."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from loyalty_app.cli import app

from .corner import FILE, Run


@pytest.fixture
def run(brand: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command as the tenant's admin, in a folder of its own."""
    monkeypatch.setenv("LOYALTY_URL", brand.server.url)
    monkeypatch.setenv("LOYALTY_KEY", brand.admin.credential)
    monkeypatch.chdir(tmp_path)

    async def run(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, list(words))

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "corner.yaml"
    path.write_text(FILE)
    return path
