"""The mutants of `make mutants` still fit the tree, and the tests they name are there."""

import re

import pytest

from tests.mutants.mutant import Mutant, mutants
from tests.mutants.report import PAGE
from tests.mutants.tree import REPO, DoesNotApply, Tree

ALL = mutants()


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.name)
def test_its_patch_applies(mutant: Mutant) -> None:
    Tree(REPO).check(mutant.patch)


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.name)
def test_the_tests_that_are_to_notice_are_there(mutant: Mutant) -> None:
    for test in mutant.tests:
        path, _, name = test.partition("::")
        text = (REPO / path).read_text("utf-8")
        assert not name or re.search(rf"^(async )?def {re.escape(name)}\(", text, re.MULTILINE)


def test_one_that_does_not_apply_is_told() -> None:
    [patch] = [mutant.patch for mutant in ALL if mutant.name == "redirects-followed"]

    with pytest.raises(DoesNotApply, match="egress_client"):
        Tree(REPO / "docs").check(patch)


def test_the_report_is_of_these_mutants() -> None:
    reported = re.findall(r"^\| ([a-z-]+) \|", PAGE.read_text("utf-8"), re.MULTILINE)

    assert reported[1:] == [mutant.name for mutant in ALL]
    assert len(ALL) > 35
