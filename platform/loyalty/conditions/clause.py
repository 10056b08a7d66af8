"""One compiled expression, and what it reads: a whole condition, or one of its parts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cel_expr_python.cel import Activation, Expression

from loyalty.conditions.failures import said
from loyalty.conditions.mentions import Mention
from loyalty.conditions.values import Values
from loyalty.conditions.words import ABSENT
from loyalty.days import iso

KNOWN_MAX = 64  # of one condition: tiers, weekdays, hours; a process may hold thousands of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """`text` is as it was written. `names` and `keys` say what `program` is given, and `scope`
    makes of values what it takes. `plain`: it reads single numbers and texts alone, so what it said
    of the same ones before is kept."""

    text: str
    program: Expression
    scope: Callable[..., Activation]
    mentions: Sequence[Mention]
    names: tuple[str, ...]
    keys: Mapping[str, tuple[str, ...]]
    plain: bool
    _known: dict[tuple[Any, ...], bool | str] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def outcome(self, values: Values) -> bool | str:
        """Whether it holds; a text says why that cannot be said."""
        if not self.plain:
            return self._judged(values)
        read = tuple([values[name] for name in self.names])
        if (found := self._known.get(read)) is None:
            if len(self._known) == KNOWN_MAX:
                self._known.clear()
            found = self._known[read] = self._judged(values)
        return found

    def _judged(self, values: Values) -> bool | str:
        given = values.scoped(self.names, self.keys, self.scope)
        try:
            outcome = self.program.eval(given).value()
        except RuntimeError as error:  # the budget is spent
            return said(str(error))
        if outcome is True or outcome is False:
            return outcome
        return said(outcome) if isinstance(outcome, str) else "it is neither true nor false"

    def looked_at(self, values: Values) -> Iterator[tuple[Mention, Any]]:
        """What each mention stood for; ABSENT for a key that was not there."""
        given = values.given(self.names, self.keys)
        for mention in self.mentions:
            value = given[mention.name]
            for key in mention.path:
                value = value.get(key, ABSENT) if isinstance(value, Mapping) else ABSENT
            yield mention, value

    def read(self, values: Values) -> dict[str, Any]:
        """What it looked at, by the text of each mention, ready for JSON."""
        return {
            mention.text: iso(value) if isinstance(value, datetime) else value
            for mention, value in self.looked_at(values)
            if value is not ABSENT
        }
