"""What came of a condition: whether it holds, and if not, why."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from loyalty.conditions.clause import Clause
from loyalty.conditions.values import Values
from loyalty.conditions.words import because


class Verdict:
    """Whether a condition holds. Why it does not is worked out only where somebody asks."""

    def __init__(
        self,
        outcome: bool | str,
        values: Values,
        whole: Clause,
        parts: Callable[[], Sequence[Clause]],
    ) -> None:
        self.holds = outcome is True
        self.fault = outcome if isinstance(outcome, str) else None
        """An error while judging: the condition then does not hold."""
        self._values = values
        self._whole = whole
        self._parts = parts

    @cached_property
    def _decisive(self) -> Clause:
        """The first part that is false or, if none is, that cannot be judged; else all of it."""
        if not self.holds:
            for part in self._parts():
                outcome = part.outcome(self._values)
                if outcome is False or (self.fault is not None and outcome is not True):
                    return part
        return self._whole

    @property
    def failed(self) -> str | None:
        """The first part because of which the condition does not hold."""
        return None if self.holds else self._decisive.text

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """What that part read (all of the condition, where it holds), ready for JSON."""
        return self._decisive.read(self._values)

    def words(self) -> str:
        """The verdict in plain words."""
        clause = self._decisive
        reason = because(
            clause.looked_at(self._values), self._values.vocabulary, self._values.currency
        )
        if self.fault is not None:
            said = f"`{clause.text}` cannot be judged: {self.fault}"
            return f"{said} ({reason})" if reason else said
        said = f"`{clause.text}` is {'true' if self.holds else 'false'}"
        return f"{said} because {reason}" if reason else said
