"""A mutant: a patch that breaks one promise, and the tests that must notice.

A file is a patch as `git apply` takes it. What stands before its first `---` says what it breaks:

    Breaks: in a sentence.
    Tests: tests/one/test_file.py::test_of_it tests/another/test_file.py
"""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
_HEAD = re.compile(r"Breaks: (?P<breaks>.+?)\nTests: (?P<tests>.+?)\n\n(?=--- )", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`tests` are what pytest is given: files of tests, or single tests of them."""

    name: str
    breaks: str
    tests: tuple[str, ...]
    patch: Path


def mutants(folder: Path = FOLDER) -> list[Mutant]:
    """All mutants by name.

    :raises ValueError: a patch has no head, or another than the one above
    """
    return [read(patch) for patch in sorted(folder.glob("*.patch"))]


def read(patch: Path) -> Mutant:
    head = _HEAD.match(patch.read_text("utf-8"))
    if head is None:
        raise ValueError(f"{patch.name} does not begin with what it breaks and its tests")
    return Mutant(
        name=patch.stem,
        breaks=" ".join(head["breaks"].split()),
        tests=tuple(head["tests"].split()),
        patch=patch,
    )
