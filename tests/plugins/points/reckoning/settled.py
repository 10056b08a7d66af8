"""What a return settles beside its shares, and which caps count it."""

from datetime import datetime
from typing import NamedTuple

from tests.plugins.points.reckoning.sold import Rule


class Settled(NamedTuple):
    """What a return gave or took beside its shares, of the period of a purchase."""

    rule: str
    unit: str
    currency: str | None
    at: datetime
    amount: int
    under: frozenset[str]  # the caps that count it: those of the purchase


def caps_over(rule: Rule) -> frozenset[str]:
    """The caps that count what a rule gives."""
    return frozenset({rule["id"], "program", f"group {rule.get('group')}"})


def is_base(rule: Rule) -> bool:
    return not (rule.get("promotion") or "bonus" in rule)
