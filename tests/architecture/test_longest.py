"""The list of the files that take longest names what there is."""

from tests.architecture.sources import REPO
from tests.longest import LONGEST, place


def test_the_longest_are_there() -> None:
    assert [name for name in LONGEST if not (REPO / "tests" / name).is_file()] == []
    assert len(LONGEST) == len(set(LONGEST))


def test_they_come_first_in_their_order() -> None:
    others = ["app/test_lean.py", "tenants/test_units.py"]
    assert sorted([*others, *reversed(LONGEST)], key=place) == [*LONGEST, *others]
