"""The numbers in the READMEs of the kernel's hard packages are what the code comes to."""

import doctest
from pathlib import Path

import pytest

from .page import ROOT

KERNEL = ROOT / "platform" / "loyalty"
READMES = [KERNEL / name / "README.md" for name in ("ledger", "recorder", "settlement")]


@pytest.mark.parametrize("page", READMES, ids=lambda page: str(page.parent.name))
def test_the_numbers_are_true(page: Path) -> None:
    failed, tried = doctest.testfile(str(page), module_relative=False)
    assert tried >= 4
    assert failed == 0


@pytest.mark.parametrize("page", READMES, ids=lambda page: str(page.parent.name))
def test_a_page_says_words_what_holds_and_numbers(page: Path) -> None:
    text = page.read_text("utf-8")
    at = [text.index(part) for part in ("| Word | Meaning |", "## What holds", "## In numbers")]
    assert at == sorted(at)
