"""Groups of rules: of what several of them would give, all counts, or only one."""

from enum import StrEnum

from loyalty_earning.limits import Capped
from loyalty_earning.section import Identifier, Name


class Grants(StrEnum):
    """Which rules of a group give where several would."""

    ALL = "all"
    # Both under the caps of the rules themselves.
    BEST = "best"  # the one that gives most; of equals the one that wants most, then the first
    FIRST = "first"  # the one of the lowest `priority` number that gives anything


class Group(Capped):
    """Rules that are judged together."""

    id: Identifier
    """Unique among the groups; rules name it by `group`."""
    label: Name | None = None
    """What admins read."""
    grants: Grants = Grants.ALL
    """all, best (the one that gives most under its own caps) or first (of those that give anything
    under theirs, by the rules' `priority`, 1 before 2)."""
