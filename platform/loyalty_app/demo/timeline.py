"""What happens when: each day's baskets come in late that day, then what is due is done."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from loyalty.days import add_months, day_start
from loyalty_app.demo.baskets import Basket
from loyalty_app.demo.frames import YEAR, ZONE
from loyalty_app.demo.redemptions import Redemption, late

YEAR_START = day_start(date(YEAR, 1, 1), ZONE)
YEAR_END = day_start(date(YEAR + 1, 1, 1), ZONE)


@dataclass(slots=True)
class Stretch:
    """Baskets up to and at an instant, then what is done at that instant."""

    until: datetime
    baskets: list[Basket] = field(default_factory=list)
    redemptions: list[Redemption] = field(default_factory=list)
    sweeps: bool = False


def stretches(
    baskets: Iterable[Basket], redemptions: Iterable[Redemption], end: datetime
) -> Iterator[Stretch]:
    """All of it in order of time; what lies after `end` is left out.

    A basket of a redemption's own second (23:59:00 sharp) comes before it, later ones after it.
    """
    coming = iter(baskets)
    basket = next(coming, None)
    for stretch in _without_baskets(redemptions, end):
        while basket is not None and basket.at <= stretch.until:
            stretch.baskets.append(basket)
            basket = next(coming, None)
        yield stretch


def _without_baskets(redemptions: Iterable[Redemption], end: datetime) -> list[Stretch]:
    """A stretch to late each day, to the end of each month, and to the end."""
    found = {at: Stretch(at) for at in (*_nights(), *month_ends(), end)}
    for redemption in redemptions:
        found[redemption.at].redemptions.append(redemption)
    for at in month_ends():
        found[at].sweeps = True
    return [found[at] for at in sorted(found) if at <= end]


def _nights() -> list[datetime]:
    first = date(YEAR, 1, 1)
    days = (date(YEAR + 1, 1, 1) - first).days
    return [late(first + timedelta(days=count)) for count in range(days)]


def month_ends() -> list[datetime]:
    """The first instant (UTC) after each local month of the year."""
    first = date(YEAR, 1, 1)
    return [day_start(add_months(first, count), ZONE) for count in range(1, 13)]
