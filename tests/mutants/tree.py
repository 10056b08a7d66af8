"""A copy of the tree to break, and the tests run in it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

REPO = Path(__file__).parents[2]
ROOTS = ("platform", "tenants", "graphql_schema", "plugins")
SECONDS_MAX = 200  # for one test; a mutant may make one wait for ever
PYTEST = (
    sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "--tb=short", "-p", "no:cacheprovider",
    "-o", f"faulthandler_timeout={SECONDS_MAX}", "-o", "faulthandler_exit_on_timeout=true",
)  # fmt: skip
_FIRST = re.compile(r"^(?:FAILED|ERROR) (?P<test>.+?)(?: - (?P<why>.*))?$", re.MULTILINE)
# What fails before a test has begun tells of a patch that does not run, not of a test.
_BEFORE = re.compile(r"^_+ ERROR at setup of ", re.MULTILINE)
_TESTS_FAILED = 1  # pytest's own code; others mean that it could not run them

Found = Literal["green", "red", "broken"]


@dataclass(frozen=True, slots=True)
class Result:
    """Of a run of tests: `broken` where they could not be run at all, or did not end."""

    found: Found
    first: str = ""
    why: str = ""


class DoesNotApply(Exception):
    """The tree is not any more what the patch was made for."""


@dataclass(frozen=True, slots=True)
class Tree:
    """`under` is a command that the tests are run under, such as `nice`."""

    path: Path
    under: Sequence[str] = field(default=())

    def check(self, patch: Path) -> None:
        """:raises DoesNotApply: and nothing is changed either way"""
        self._apply("--check", patch)

    @contextmanager
    def patched(self, patch: Path) -> Iterator[None]:
        """:raises DoesNotApply:"""
        self._apply(patch)
        try:
            yield
        finally:
            self._apply("--reverse", patch)

    def test(self, tests: Sequence[str]) -> Result:
        """Run the tests up to the first that fails."""
        done = self._run(*self.under, *PYTEST, *tests)
        if done.returncode == 0:
            return Result("green")
        named = _FIRST.search(done.stdout.rpartition("short test summary info")[2])
        if done.returncode != _TESTS_FAILED or named is None or _BEFORE.search(done.stdout):
            return Result("broken", why=done.stdout[-2_000:] + done.stderr[-2_000:])
        return Result("red", named["test"], named["why"] or "")

    def imports_itself(self) -> bool:
        """Whether the copy's packages are those that its tests import."""
        done = self._run(sys.executable, "-c", "import loyalty; print(loyalty.__file__)")
        return Path(done.stdout.strip()).is_relative_to(self.path)

    def _apply(self, *arguments: str | Path) -> None:
        done = self._run("git", "apply", *map(str, arguments))
        if done.returncode != 0:
            raise DoesNotApply(done.stderr.strip())

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.path, env=self._environment(), capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        # The project is installed as the folders of the tree it was made in; these come before.
        roots = os.pathsep.join(str(self.path / root) for root in ROOTS)
        # git is not to take the copy for a part of a repository around it.
        return {**os.environ, "PYTHONPATH": roots, "GIT_CEILING_DIRECTORIES": str(self.path.parent)}


@contextmanager
def copied(*, under: Sequence[str] = ()) -> Iterator[Tree]:
    """A copy of all that git knows or would, as it is in the working tree."""
    with tempfile.TemporaryDirectory(prefix="loyalty-mutants-") as folder:
        path = Path(folder, "tree").resolve()
        for name in _files():
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPO / name, target)
        tree = Tree(path, under)
        if not tree.imports_itself():
            raise RuntimeError("the copy's tests would import another tree's packages")
        yield tree


def _files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPO, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [name for name in listed.stdout.split("\0") if name and (REPO / name).is_file()]
