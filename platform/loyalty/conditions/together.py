"""Several conditions as one expression: to ask the library costs more than what it then does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cel_expr_python.cel import Activation, Expression

from loyalty.conditions.clause import KNOWN_MAX
from loyalty.conditions.condition import Condition
from loyalty.conditions.name import MAPS, NameType
from loyalty.conditions.values import Values

TOGETHER_MAX = 32  # conditions of one expression: its sums are nested as deep
LENGTH_MAX = 20_000  # characters of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """`program` adds 1, 2, 4, ... for each that holds, in their order. `names` are what they read
    together. `plain`: single numbers and texts alone, so sums are kept by these."""

    program: Expression
    scope: Callable[..., Activation]
    names: tuple[str, ...]
    plain: bool
    _known: dict[tuple[Any, ...], int | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def holding(self, values: Values) -> int | None:
        """Which of them hold, a bit for each; None where one cannot be judged: ask each by itself.

        What they read is read of all of them, as if each had been judged.
        """
        if not self.plain:
            return self._judged(values)
        read = tuple([values[name] for name in self.names])
        if (found := self._known.get(read, -1)) == -1:
            if len(self._known) == KNOWN_MAX:
                self._known.clear()
            found = self._known[read] = self._judged(values)
        return found

    def _judged(self, values: Values) -> int | None:
        try:
            sum_of = self.program.eval(values.scoped(self.names, {}, self.scope)).value()
        except RuntimeError:  # the budget is spent
            return None
        return sum_of if isinstance(sum_of, int) else None


def is_always_told(condition: Condition) -> bool:
    """Whether all that it reads is there of every fact: of one key that is not there all others
    would learn nothing."""
    whole, by_name = condition.whole, condition.vocabulary.by_name
    uncertain = (*MAPS, NameType.OBJECTS)
    return not whole.keys and all(by_name[name].type not in uncertain for name in whole.names)


def parcels(conditions: Sequence[Condition]) -> list[tuple[Condition, ...]]:
    """Cut into as many as one expression takes."""
    found: list[list[Condition]] = []
    length = LENGTH_MAX
    for condition in conditions:
        length += len(condition.source)
        if length >= LENGTH_MAX or len(found[-1]) == TOGETHER_MAX:
            length = len(condition.source)
            found.append([])
        found[-1].append(condition)
    return [tuple(one) for one in found]
