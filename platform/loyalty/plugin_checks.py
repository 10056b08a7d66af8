"""What is checked of plugins at start-up: names, needs, and that reactions can ever fire."""

from collections.abc import Mapping, Sequence

from loyalty.codec import KERNEL_FACTS
from loyalty.commands import (
    AdjustBalance,
    CaptureRedemption,
    ReleaseRedemption,
    ReverseRedemption,
    UndoRedemption,
)
from loyalty.facts import (
    Burned,
    Counted,
    Expired,
    Fact,
    FactReversed,
    Granted,
    HoldLapsed,
    LotsDue,
    MemberClosed,
    PurchaseReversed,
    TakenBack,
)
from loyalty.ids import NIL
from loyalty.owners import Owner
from loyalty.plugin import Plugin

# What the kernel itself tells while it settles, and the facts it tells that of (None: any).
TOLD: Mapping[type[Fact], tuple[type[Fact], ...] | None] = {
    Granted: None,
    Counted: None,
    Burned: None,
    Expired: (
        LotsDue, MemberClosed, PurchaseReversed, FactReversed, HoldLapsed, AdjustBalance,
        CaptureRedemption, ReleaseRedemption, ReverseRedemption, UndoRedemption,
    ),
    TakenBack: (PurchaseReversed, FactReversed),
}  # fmt: skip


def check_names(plugin: Plugin) -> None:
    for what, names in (
        ("loaders", [loader.name for loader in plugin.needs]),
        ("traits", [trait.name for trait in plugin.traits]),
        ("jobs", [job.name for job in plugin.jobs]),
    ):
        if len(set(names)) != len(names):
            raise ValueError(f"{plugin.name} has two {what} of one name: {sorted(names)}")


def check_writers(plugins: Sequence[Plugin]) -> None:
    rows = [writer.row for plugin in plugins for writer in plugin.writers]
    if twice := [row.__name__ for row in set(rows) if rows.count(row) > 1]:
        raise ValueError(f"two writers write {sorted(twice)}")


def check_owners(plugins: Sequence[Plugin]) -> None:
    kinds = [kind for plugin in plugins if plugin.owner_of for kind in plugin.owner_of.kinds]
    if twice := sorted({kind for kind in kinds if kinds.count(kind) > 1}):
        raise ValueError(f"two plugins have owners of the kind {twice}")
    for kind in kinds:
        Owner(kind, NIL)  # refuses what is no kind


def check_reactions(plugin: Plugin) -> None:
    """A reaction to something that it could never be shown is a mistake, not a silence."""
    known = {
        *KERNEL_FACTS,
        *TOLD,
        *(published.fact for published in plugin.facts),
        *(consumed.fact for consumed in plugin.consumes),
    }
    for reaction in plugin.reactions:
        if reaction.fact not in known:
            raise ValueError(
                f"{plugin.name} reacts to {reaction.fact.__name__}, which it neither publishes "
                "nor consumes"
            )


def check_needs(plugin: Plugin) -> None:
    loaders = {loader.name for loader in plugin.needs}
    for reaction in plugin.reactions:
        if missing := set(reaction.needs) - loaders:
            raise ValueError(f"{plugin.name} needs {sorted(missing)}, which it does not load")
