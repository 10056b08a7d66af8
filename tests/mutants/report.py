"""What came of the mutants, as a table for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.mutants.mutant import FOLDER, Mutant

PAGE = FOLDER / "REPORT.md"


class Verdict(StrEnum):
    KILLED = "killed"
    ALIVE = "alive"
    BROKEN = "could not be tried"
    ROTTEN = "does not apply"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`by` is the first test that failed; `why` what it said, or what went wrong."""

    mutant: Mutant
    verdict: Verdict
    by: str = ""
    why: str = ""


def table(outcomes: Sequence[Outcome]) -> str:
    rows = [f"| {o.mutant.name} | {o.mutant.breaks} | {o.verdict} | {_cell(o)} |" for o in outcomes]
    return "\n".join(["| mutant | breaks | | first test that failed |", "|---|---|---|---|", *rows])


def _cell(outcome: Outcome) -> str:
    return f"`{outcome.by.removeprefix('tests/')}`" if outcome.by else ""


def counted(outcomes: Sequence[Outcome]) -> str:
    """`30 killed, 1 alive`"""
    numbers = {verdict: sum(o.verdict is verdict for o in outcomes) for verdict in Verdict}
    return ", ".join(f"{number} {verdict}" for verdict, number in numbers.items() if number)


def write(outcomes: Sequence[Outcome], page: Path = PAGE) -> None:
    page.write_text(
        "# Mutants\n\n"
        "Each breaks one promise of the platform by a patch of a few lines, and the tests it\n"
        "names must notice. Written by `make mutants REPORT=1`.\n\n"
        f"{counted(outcomes)}.\n\n{table(outcomes)}\n",
        "utf-8",
    )
