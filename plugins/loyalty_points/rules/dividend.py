"""A year's base becomes its dividend, or nothing where it is less than the least that has one."""

from collections.abc import Iterator
from datetime import date, datetime

from loyalty.days import day_start
from loyalty.effects import Burn, Effect, Grant
from loyalty.plugin import BurnWant
from loyalty.units import ratio, rounded
from loyalty.view import View
from loyalty_earning.lifetime import end_of
from loyalty_points.config import PointsConfig
from loyalty_points.dividend import Dividend
from loyalty_points.facts import DividendDue

PAID = "dividend"  # the program's account that a base goes to which had its dividend
UNPAID = "below_minimum"  # and one that had none
BELOW_MINIMUM = "BELOW_MINIMUM"


def base_of(config: PointsConfig, due: DividendDue) -> Iterator[BurnWant]:
    yield BurnWant(unit=config.unit)


def pay(config: PointsConfig, due: DividendDue, view: View) -> Iterator[Effect]:
    """Use up the base of the year, and of what came too late for the year before its own."""
    dividend = config.dividend
    if due.program != view.program or dividend is None:
        return
    base = _base(config, due, view)
    if base == 0:
        return
    places = view.places(config.unit)
    wanted = _of(dividend, base, due.percent, places, view.places(dividend.unit))
    enough = dividend.minimum is None or base >= ratio(dividend.minimum) * 10**places
    yield Burn(unit=config.unit, amount=base, to=PAID if enough else UNPAID, label=dividend.label)
    if wanted:
        yield Grant(
            unit=dividend.unit,
            wanted=wanted,
            granted=wanted if enough else 0,
            rule=dividend.id,
            label=dividend.label,
            accounting_class=dividend.accounting_class,
            expires_at=_end(dividend, due.occurred_at, view),
            cut_by=None if enough else BELOW_MINIMUM,
            inputs={
                "year": due.year,
                "base": view.text(config.unit, base),
                "percent": due.percent,
                "minimum": dividend.minimum,
            },
        )


def _base(config: PointsConfig, due: DividendDue, view: View) -> int:
    """What is open of all that was bought before the year was over.

    It is also the beginning of the burn order: base never ends, and the oldest is taken first.
    """
    over = day_start(date(due.year + 1, 1, 1), view.zone)
    return sum(
        lot.remaining
        for lot in view.lots.get(config.unit, ())
        if lot.occurred_at < over and lot.available_at <= due.occurred_at
    )


def _of(dividend: Dividend, base: int, percent: str, of_base: int, of_dividend: int) -> int:
    exact = base * ratio(percent) / 100 * 10**of_dividend / 10**of_base
    return rounded(exact, dividend.rounding)


def _end(dividend: Dividend, at: datetime, view: View) -> datetime | None:
    return None if dividend.lifetime is None else end_of(dividend.lifetime, at, view.zone)
