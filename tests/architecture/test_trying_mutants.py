"""How a mutant is tried, on a tree of two files: each verdict is given where it is due."""

from pathlib import Path

import pytest

from tests.mutants.__main__ import tried
from tests.mutants.mutant import Mutant, read
from tests.mutants.report import Outcome, Verdict, counted, table
from tests.mutants.tree import DoesNotApply, Tree

ONE = "def one() -> int:\n    return 1\n"
TESTS = """\
import pytest
from one import one


@pytest.fixture
def two():
    return 2 // one()


@pytest.fixture
def swept():
    yield
    assert one() != 3, "left behind - as it says"


@pytest.mark.parametrize("name", ["a name", "another"])
def test_one(two, swept, name):
    assert one() in (1, 3) or print("ERROR at setup")
"""
HEAD = "Breaks: what\none is.\nTests: test_one.py::test_one\n  test_one.py\n\n"
PATCH = """\
--- a/one.py
+++ b/one.py
@@ -1,2 +1,2 @@
 def one() -> int:
-    return {old}
+    return {new}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "one.py").write_text(ONE)
    (tmp_path / "test_one.py").write_text(TESTS)
    return Tree(tmp_path)


def mutant(tree: Tree, new: str, old: str = "1") -> Mutant:
    patch = tree.path / "another-one.patch"
    patch.write_text(HEAD + PATCH.format(old=old, new=new))
    return read(patch)


@pytest.mark.parametrize(
    ("new", "verdict", "by", "why"),
    [
        ("1  # the same", Verdict.ALIVE, "", ""),
        ("4", Verdict.KILLED, "test_one.py::test_one[a name]", "assert"),
        ("3", Verdict.KILLED, "test_one.py::test_one[a name]", "left behind - as it says"),
        ("0", Verdict.BROKEN, "", "ZeroDivisionError"),  # before any test has begun
    ],
)
def test_what_comes_of_it(tree: Tree, new: str, verdict: Verdict, by: str, why: str) -> None:
    outcome = tried(tree, mutant(tree, new))

    assert (outcome.verdict, outcome.by) == (verdict, by)
    assert why in outcome.why
    assert (tree.path / "one.py").read_text() == ONE


def test_a_patch_for_another_tree_is_told_and_changes_nothing(tree: Tree) -> None:
    other = mutant(tree, "2", old="7")

    assert tried(tree, other).verdict is Verdict.ROTTEN
    with pytest.raises(DoesNotApply, match=r"one\.py"):
        tree.check(other.patch)
    assert (tree.path / "one.py").read_text() == ONE


def test_the_report_names_each(tree: Tree) -> None:
    outcome = Outcome(mutant(tree, "4"), Verdict.KILLED, "tests/test_one.py::test_one[a name]")

    assert table([outcome]).splitlines()[-1] == (
        "| another-one | what one is. | killed | `test_one.py::test_one[a name]` |"
    )
    assert counted([outcome, outcome]) == "2 killed"


@pytest.mark.parametrize("head", ["", "Breaks: something.\n\n", "Tests: a.py\n\n", HEAD.strip()])
def test_a_patch_says_what_it_breaks_and_who_must_notice(tree: Tree, head: str) -> None:
    patch = tree.path / "bare.patch"
    patch.write_text(head + PATCH.format(old=1, new=2))

    with pytest.raises(ValueError, match=r"bare\.patch"):
        read(patch)
