"""`make mutants`: break the platform on purpose, one promise at a time; the tests must notice.

Each patch of this folder is applied to a copy of the tree and the tests that it names are run
there. Before that they must be green without it, or their red would prove nothing.
"""

import shlex
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from tests.mutants.mutant import Mutant, mutants
from tests.mutants.report import Outcome, Verdict, counted, table, write
from tests.mutants.tree import DoesNotApply, Tree, copied

VERDICTS = {"red": Verdict.KILLED, "green": Verdict.ALIVE, "broken": Verdict.BROKEN}


def main(
    only: Annotated[list[str] | None, typer.Option(help="Try this mutant alone.")] = None,
    report: Annotated[bool, typer.Option(help="Write REPORT.md; of all mutants only.")] = False,
    under: Annotated[str, typer.Option(help="Run tests under this, as 'nice -n 19'.")] = "",
    sure: Annotated[bool, typer.Option(help="The tests are known to be green.")] = False,
) -> None:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    chosen = _chosen(only or [])
    if report and only:
        raise typer.BadParameter("a report is of all mutants")
    with copied(under=shlex.split(under)) as tree:
        if not sure and not _green(tree, chosen, console):
            sys.exit(2)
        outcomes = []
        for mutant in chosen:
            outcomes.append(outcome := tried(tree, mutant))
            console.print(f"{mutant.name}: {outcome.verdict} {outcome.by} {outcome.why}".rstrip())
    if report:
        write(outcomes)
    console.print("", table(outcomes), "", counted(outcomes), sep="\n")
    if any(outcome.verdict is not Verdict.KILLED for outcome in outcomes):
        sys.exit(1)


def _chosen(names: Sequence[str]) -> list[Mutant]:
    found = mutants()
    if unknown := set(names) - {mutant.name for mutant in found}:
        raise typer.BadParameter(f"there is no mutant {', '.join(sorted(unknown))}")
    return [mutant for mutant in found if not names or mutant.name in names]


def _green(tree: Tree, chosen: Sequence[Mutant], console: Console) -> bool:
    """Whether all tests that are to notice something are green while there is nothing."""
    tests = sorted({test for mutant in chosen for test in mutant.tests})
    result = tree.test(tests)
    if result.found != "green":
        console.print(f"not green without a mutant: {result.first} {result.why}")
    return result.found == "green"


def tried(tree: Tree, mutant: Mutant) -> Outcome:
    """Apply a mutant, run its tests, and take it back."""
    try:
        with tree.patched(mutant.patch):
            result = tree.test(mutant.tests)
    except DoesNotApply as error:
        return Outcome(mutant, Verdict.ROTTEN, why=str(error))
    return Outcome(mutant, VERDICTS[result.found], result.first, result.why)


if __name__ == "__main__":
    typer.run(main)
