"""Several conditions as one expression: to ask the library costs more than what it then does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cel_expr_python.cel import Activation, Expression

from loyalty.conditions.condition import Condition
from loyalty.conditions.name import MAPS, PLAIN, NameType, Vocabulary
from loyalty.conditions.values import Values

TOGETHER_MAX = 32  # conditions of one expression
LENGTH_MAX = 20_000  # characters of them
KNOWN_MAX = 16  # sums of one expression
LIST_MAX = 16  # texts of a list by which a sum is kept
NOT_YET = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """`program` adds 1, 2, 4, ... for each that holds, in their order. `names` are what they read
    together. `comes_again`: they read numbers, texts and lists of texts alone, so what came of the
    same ones before is kept."""

    program: Expression
    scope: Callable[..., Activation]
    names: tuple[str, ...]
    comes_again: bool
    _known: dict[tuple[Any, ...], int | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def holding(self, values: Values) -> int | None:
        """Which of them hold, a bit for each; None where one cannot be judged: ask each by itself.

        What they read is read of all of them, as if each had been judged.
        """
        read = _compared([values[name] for name in self.names]) if self.comes_again else None
        if read is None:
            return self._judged(values)
        if (found := self._known.get(read, NOT_YET)) == NOT_YET:
            if len(self._known) == KNOWN_MAX:
                self._known.clear()
            found = self._known[read] = self._judged(values)
        return found

    def _judged(self, values: Values) -> int | None:
        try:
            found = self.program.eval(values.scoped(self.names, {}, self.scope)).value()
        except RuntimeError:  # the budget is spent
            return None
        return found if isinstance(found, int) else None


def _compared(read: list[Any]) -> tuple[Any, ...] | None:
    """What was read, as a key; None where a list is long: then it hardly comes again."""
    for at, value in enumerate(read):
        if type(value) is list:
            if len(value) > LIST_MAX:
                return None
            read[at] = tuple(value)
    return tuple(read)


def is_always_told(condition: Condition) -> bool:
    """Whether all that it reads is there of every fact: because of one key that is not there,
    nothing would be known of the others."""
    whole, by_name = condition.whole, condition.vocabulary.by_name
    uncertain = (*MAPS, NameType.OBJECTS)
    return not whole.keys and all(by_name[name].type not in uncertain for name in whole.names)


def come_again(names: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Whether values of these names are compared cheaply and come again."""
    read = [vocabulary.by_name[name] for name in names]
    return all(one.type in (*PLAIN, NameType.STRINGS) and not one.of_one for one in read)


def sum_of(terms: Sequence[str]) -> str:
    """Added up in halves: the library takes no expression that is nested deeper than 32."""
    if len(terms) == 1:
        return f"({terms[0]})"
    half = len(terms) // 2
    return f"({sum_of(terms[:half])}+{sum_of(terms[half:])})"


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
