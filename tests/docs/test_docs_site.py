"""The site builds strictly, and its pages fetch nothing from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .page import ROOT

FETCHED = re.compile(
    r"<(?:link|script|img|iframe)\b[^>]*?(?:href|src)=\"?((?:https?:)?//[^\"\s>]+)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_built(site: Path) -> None:
    built = {str(page.relative_to(site)) for page in site.rglob("index.html")}
    assert {"index.html", "tutorial/index.html", "programs/points/index.html"} <= built


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert pages
    found = {(page.name, url) for page in pages for url in FETCHED.findall(page.read_text("utf-8"))}
    assert found == set()
    styles = "".join(style.read_text("utf-8") for style in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import )[\"']?https?://[^)\"']+", styles) == []


@pytest.mark.parametrize(
    ("tag", "seen"),
    [
        ('<link href="https://fonts.gstatic.com" rel=x>', 1),
        ("<script src=//cdn.test/a.js>", 1),
        ('<link rel="stylesheet" href="assets/a.css">', 0),
        ('<a href="https://semver.org">', 0),
    ],
)
def test_what_is_fetched_is_seen(tag: str, seen: int) -> None:
    assert len(FETCHED.findall(tag)) == seen
