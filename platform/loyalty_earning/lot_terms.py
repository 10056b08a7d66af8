"""In which units a program's lots are granted, and under which terms those of each rule."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loyalty_earning.terms import Lifetime, Terms

if TYPE_CHECKING:
    from loyalty_earning.config import EarningConfig


@dataclass(frozen=True, slots=True)
class LotTerms:
    """`units` are those that rules give."""

    units: tuple[str, ...]
    program: Terms
    by_rule: Mapping[tuple[str, str], Terms]

    @classmethod
    def of(cls, config: "EarningConfig") -> "LotTerms":
        terms = {}
        for rule in config.rules:
            for unit in (rule.unit,) if rule.unit else config.units:
                terms[unit, rule.id] = rule.terms or config.terms
            terms |= {(also.unit, rule.id): also.terms for also in rule.also}
        for on in config.caps_on:
            first = next((rule for rule in config.rules if rule.id in on.rules), None)
            terms[on.unit, on.carried] = (first and first.terms) or config.terms
        units = dict.fromkeys([*config.units, *(unit for unit, _ in terms)])
        return cls(units=tuple(units), program=config.terms, by_rule=terms)

    def terms(self, unit: str, rule: str) -> Terms:
        """The terms of a rule's lots, also of a rule that only an older version had."""
        return self.by_rule.get((unit, rule), self.program)

    def lifetimes(self) -> Iterator[Lifetime]:
        for terms in (self.program, *self.by_rule.values()):
            if terms.lifetime is not None:
                yield terms.lifetime
