"""In which units a points program's lots are granted, those of days of the calendar included."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loyalty_earning.lot_terms import LotTerms
from loyalty_earning.terms import Terms

if TYPE_CHECKING:
    from loyalty_points.config import PointsConfig


@dataclass(frozen=True, slots=True)
class PointsLots(LotTerms):
    """`issued` are units that are given on days of the calendar.

    `spent` is what members may spend: points that are the base of a dividend are for nothing else.
    """

    issued: tuple[str, ...]
    spent: tuple[str, ...]

    @classmethod
    def of_points(cls, config: "PointsConfig") -> "PointsLots":
        days = [one for one in (*config.issuing, config.dividend) if one is not None]
        issued = tuple(dict.fromkeys(one.unit for one in days))
        earned = LotTerms.of(config)
        return cls(
            units=tuple(unit for unit in earned.units if unit == config.unit or unit not in issued),
            issued=issued,
            spent=issued if config.dividend else (config.unit, *issued),
            program=earned.program,
            # What is issued has but a lifespan.
            by_rule={(one.unit, one.id): Terms() for one in days} | {**earned.by_rule},
        )
