"""A dividend, as a tenant writes it: a year's base, and a rate that is declared afterwards."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic_core import PydanticCustomError

from loyalty.units import Rounding
from loyalty_earning.notation import PositiveText
from loyalty_points.calendar import YearlyDate, in_year
from loyalty_points.issuing import Issued


class Dividend(Issued):
    """Part of what the program counted in a calendar year, by a rate that is declared after it.

    The program's own unit is the base: its rules count into it all year, returns take off again,
    and nobody can spend it. On the day of issue it is used up and the dividend is given.
    """

    issues: YearlyDate
    """The day of the year after on which the dividend is given, such as 03-15."""
    minimum: PositiveText | None = None
    """The least base that has a dividend; null: any."""
    rounding: Rounding = Rounding.HALF_UP
    """How a fraction of the smallest part of `unit` is rounded."""

    def issued_on(self, year: int) -> date:
        """The day on which the dividend of a year is given."""
        day = in_year(self.issues, year + 1)
        assert day is not None, "it is a day of every year"
        return day


def has_a_lasting_base(known: Mapping[str, Any]) -> None:
    """What is counted all year has to be there on the day of issue.

    :raises PydanticCustomError: the points of the program end
    """
    terms = [known.get("terms"), *(rule.terms for rule in known.get("rules", ()))]
    if any(one is not None and one.lifetime is not None for one in terms):
        raise PydanticCustomError("base", "is of points that never expire: leave lifetime out")
