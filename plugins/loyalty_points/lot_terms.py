"""In which units a program's lots are granted, and under which terms those of each rule."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loyalty_earning.terms import Lifetime, Terms

if TYPE_CHECKING:
    from loyalty_points.config import PointsConfig


@dataclass(frozen=True, slots=True)
class LotTerms:
    """`units` are those that rules give, `issued` those that are given on days of the calendar.

    `spent` is what members may spend: points that are the base of a dividend are for nothing else.
    """

    units: tuple[str, ...]
    issued: tuple[str, ...]
    spent: tuple[str, ...]
    program: Terms
    by_rule: Mapping[tuple[str, str], Terms]

    @classmethod
    def of(cls, config: "PointsConfig") -> "LotTerms":
        days = [one for one in (*config.issuing, config.dividend) if one is not None]
        terms = {(one.unit, one.id): Terms() for one in days}  # they have but a lifespan
        for rule in config.rules:
            terms[config.unit_of(rule), rule.id] = rule.terms or config.terms
            terms |= {(also.unit, rule.id): also.terms for also in rule.also}
        for on in config.caps_on:
            first = next((rule for rule in config.rules if rule.id in on.rules), None)
            terms[on.unit, on.carried] = (first and first.terms) or config.terms
        issued = tuple(dict.fromkeys(one.unit for one in days))
        given = dict.fromkeys([config.unit, *(unit for unit, _ in terms if unit not in issued)])
        return cls(
            units=tuple(given),
            issued=issued,
            spent=issued if config.dividend else (config.unit, *issued),
            program=config.terms,
            by_rule=terms,
        )

    def terms(self, unit: str, rule: str) -> Terms:
        """The terms of a rule's lots, also of a rule that only an older version had."""
        return self.by_rule.get((unit, rule), self.program)

    def lifetimes(self) -> Iterator[Lifetime]:
        for terms in (self.program, *self.by_rule.values()):
            if terms.lifetime is not None:
                yield terms.lifetime
