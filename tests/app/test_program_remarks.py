"""A comment belongs to what stands below it, wherever an export puts that."""

from itertools import permutations
from typing import Any

import pytest

from loyalty_app.programs.exporting import exported
from loyalty_app.programs.program_file import parsed
from loyalty_app.programs.yaml_text import plain

FILE = """\
# Corner Coffee, kept in git.
slug: corner
kind: points

# What members read.
name: Corner points  # on the card
config:
  unit: beans
  # The rules.
  rules:
    # Everybody earns this.
    # In every shop.
    - id: spend
      label: 1 per dollar  # on every receipt
      # The rate.
      points: "1"
      caps:
        # A month.
        - {points: "100", period: month}  # of each member
        # A year.
        - points: "900"
          period: year
        # More caps are to come.
      # The end of spend.

    # Only the big ones.
    - id: big  # since May
      label: |
        Extra for

        # this is no comment
        big orders
      points: "0.5"
    # At the weekend.
    - id: weekend
      label: Weekend
      points: "2"
      exclude:
        skus:
          # Gift cards.
          - GIFT-1  # the old ones
          # Bottles, with deposit.
          - "B-7"
          - C-9
    # The end of the rules.
  # What comes last.
  terms:
    # Until goods may come back.
    pending_days: 14
# The end of all.
"""
RULES = ("spend", "big", "weekend")
NEW = {"id": "extra", "label": "Extra", "points": "3"}
ABOUT = {
    "spend": [
        "# Everybody earns this.", "# In every shop.", "- id: spend",
        "label: 1 per dollar  # on every receipt", "# The rate.", 'points: "1"', "caps:",
        "# A month.", '- {points: "100", period: month}  # of each member', "# A year.",
        '- points: "900"', "period: year", "# More caps are to come.", "# The end of spend.",
    ],
    "big": [
        "", "# Only the big ones.", "- id: big  # since May", "label: |", "Extra for", "",
        "# this is no comment", "big orders", 'points: "0.5"',
    ],
    "weekend": [
        "# At the weekend.", "- id: weekend", "label: Weekend", 'points: "2"', "exclude:", "skus:",
        "# Gift cards.", "- GIFT-1  # the old ones", "# Bottles, with deposit.", '- "B-7"', "- C-9",
    ],
    "extra": ["- id: extra", "label: Extra", 'points: "3"'],
}  # fmt: skip
BEFORE, AFTER = FILE[: FILE.index("    # Everybody")], FILE[FILE.index("    # The end of the r") :]


def program() -> dict[str, Any]:
    found = plain(parsed(FILE, "corner.yaml").document)
    return {**found, "position": 1}


def export(wanted: dict[str, Any], text: str = FILE) -> str:
    written = exported(wanted, [], into=text, path="corner.yaml")
    assert plain(parsed(written, "corner.yaml").document)["config"] == wanted["config"]
    again = exported(wanted, [], into=written, path="corner.yaml")
    assert again == written, "and it stays so"
    return written


def test_an_export_of_the_same_changes_nothing() -> None:
    assert export(program()) == FILE


@pytest.mark.parametrize("new", [None, 0, 1])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_rules_that_move_come_or_go_have_their_own_comments(count: int, new: int | None) -> None:
    """Any of them in any order, with another one anywhere among them."""
    for kept in permutations(RULES, count):
        wanted = program()
        rules = {rule["id"]: rule for rule in wanted["config"]["rules"]}
        order = list(kept)
        if new is not None:
            order.insert(new, "extra")
        wanted["config"]["rules"] = [rules.get(name, NEW) for name in order]

        written = export(wanted)

        assert written.startswith(BEFORE)
        assert written.endswith(AFTER), "the end of a list is the end of the list"
        told = [line.strip() for line in written[len(BEFORE) : -len(AFTER)].splitlines()]
        assert told == [line for name in order for line in ABOUT[name]]


def test_entries_without_names_are_known_by_what_they_are() -> None:
    wanted = program()
    spend, _, weekend = wanted["config"]["rules"]
    spend["caps"] = [{"points": "5", "period": "day"}, *reversed(spend["caps"])]
    weekend["exclude"]["skus"] = ["C-9", "D-1", "B-7"]

    written = export(wanted)

    assert (
        """      caps:
        - points: "5"
          period: day
        # A year.
        - points: "900"
          period: year
        # A month.
        - {points: "100", period: month}  # of each member
        # More caps are to come.
"""
        in written
    )
    assert (
        """        skus:
          - C-9
          - D-1
          # Bottles, with deposit.
          - "B-7"
    # The end of the rules.
"""
        in written
    )
    assert "GIFT-1" not in written


def test_a_changed_entry_keeps_what_stands_above_and_beside_it() -> None:
    wanted = program()
    wanted["config"]["rules"][0]["caps"][0]["points"] = "150"
    wanted["config"]["rules"][0]["points"] = "4"
    wanted["config"]["terms"] = {"pending_days": 30}
    wanted["name"] = "Corner Points"

    assert export(wanted) == (
        FILE.replace('{points: "100"', '{points: "150"').replace('points: "1"\n', 'points: "4"\n')
        .replace("days: 14", "days: 30").replace("Corner points", "Corner Points")
    )  # fmt: skip


def test_what_goes_takes_its_comments_along_and_no_other() -> None:
    wanted = program()
    del wanted["config"]["terms"], wanted["config"]["rules"][0]["caps"]
    written = export(wanted)
    for gone in ("What comes last", "Until goods", "A month", "A year", "More caps"):
        assert gone not in written
    for kept in ("The end of spend", "The end of the rules", "The end of all", "The rate"):
        assert kept in written


ODD = [
    "  # first\n  list: [x,\n    # two\n    y]\n  z: 1\n",
    "  base: &base\n    # low\n    x: 1\n  other: *base\n  # first\n  z: 1\n",
    "  z:\n    -\n      # inner\n      x: 1\n",
    '  name: "c\u2028d"\n  # first\n  z: 1\n',
    "  z:\n    # none yet\n",
    "  {}\n# last\n",
    "  z: |+\n    # text\n\n  # first\n  y: >-\n    # text\n# last\n",
]


@pytest.mark.parametrize("breaks", ["\n", "\r\n"])
@pytest.mark.parametrize("config", ODD)
def test_odd_documents_keep_all_their_comments(config: str, breaks: str) -> None:
    start = "" if "\u2028" in config else "# only\n---\n"  # not every line of those is one to all
    file = f"{start}# this\nslug: a\nkind: b\nname: c\nconfig:\n{config}"
    file = file.replace("\n", breaks)
    wanted = {**plain(parsed(file, "a.yaml").document), "position": 1}
    wanted["config"] = {**wanted["config"], "new": "1"}
    written = exported(wanted, [], into=file, path="a.yaml")
    assert plain(parsed(written, "a.yaml").document)["config"] == wanted["config"]
    for word in ("first", "two", "low", "inner", "only", "this", "last", "none yet", "text"):
        assert written.count(f"# {word}") == file.count(f"# {word}"), written
