"""A condition that a tenant wrote, compiled and ready to be judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from loyalty.conditions.clause import Clause
from loyalty.conditions.name import Vocabulary
from loyalty.conditions.values import Values
from loyalty.conditions.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Condition:
    """Equal to every other of the same text, vocabulary and currency.

    `clauses` compiles its parts; where there is only one, that is `whole`, and it gives none.

    `parts` is the source cut at its top-level `&&`. `reads` are the names that it mentions;
    `traits` those of the member that it needs, as `Reaction.traits` writes them.
    """

    source: str
    vocabulary: Vocabulary
    currency: str | None
    whole: Clause = field(compare=False, repr=False)
    clauses: Callable[[], Sequence[Clause]] = field(compare=False, repr=False)
    parts: tuple[str, ...] = field(compare=False)
    reads: frozenset[str] = field(compare=False)
    traits: frozenset[str] = field(compare=False)

    def judged(self, values: Values) -> Verdict:
        """Whether it holds for a fact.

        :raises TypeError: the values are of another vocabulary
        :raises loyalty.kept.NotKept: judged anew from a decision that does not keep what it reads
        """
        return self.against(values) or Verdict(True, values, self.whole, self.clauses)

    def against(self, values: Values) -> Verdict | None:
        """The verdict where it does not hold; as `judged` otherwise."""
        if values.vocabulary is not self.vocabulary:
            raise TypeError(f"a condition on {self.vocabulary.on}, not on {values.vocabulary.on}")
        outcome = self.whole.outcome(values)
        return None if outcome is True else Verdict(outcome, values, self.whole, self.clauses)
