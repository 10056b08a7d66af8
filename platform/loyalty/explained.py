"""What one rule says of a fact: that it fired, or in plain words why it did not."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from loyalty.effects import AccountingClass
from loyalty.kept import NotKept
from loyalty.view import Stage

BY_CHANCE = "BY_CHANCE"
"""It depends on luck, and previews draw none."""
NOT_KEPT = "NOT_KEPT"
"""It reads what decisions do not keep, so it cannot be told any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What one rule says of a fact.

    `fired`: it wanted to give something. `reason` is a code in UPPER_SNAKE that programs may rely
    on, and `message` says the same in plain words: what kept the rule from firing, or what cut it.
    `part` is the first part of its condition that was false, as the config writes it, and `values`
    what was read to find that out.
    """

    rule: str
    label: str
    unit: str
    accounting_class: AccountingClass
    stage: Stage = Stage.BASE
    fired: bool = False
    reason: str | None = None
    message: str | None = None
    part: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


def not_kept(explained: Explained, missing: NotKept) -> Explained:
    """The rule cannot be judged again."""
    return replace(explained, fired=False, reason=NOT_KEPT, message=str(missing))
