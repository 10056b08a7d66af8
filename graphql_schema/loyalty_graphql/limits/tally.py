"""What a set of selections amounts to. Tallies add up; fragments are added, never walked twice."""

from collections import Counter
from dataclasses import dataclass, field

from loyalty_graphql.limits.cost import Cost


@dataclass(slots=True)
class Tally:
    """`depth` counts levels of fields, `names` the fields of the outermost level by name."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    cost: Cost = field(default_factory=Cost)
    names: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        self.depth = max(self.depth, other.depth)
        self.fields += other.fields
        self.aliases += other.aliases
        self.directives += other.directives
        self.cost = self.cost + other.cost
        self.names.update(other.names)
