"""What happens when: stretches of baskets, each ended by redemptions, by a month's end or both."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby

from loyalty.days import add_months, day_start
from loyalty_app.demo.baskets import Basket
from loyalty_app.demo.frames import YEAR, ZONE
from loyalty_app.demo.redemptions import Redemption

# A stretch is held in memory and its answers too; in a replay of a year most are a day long.
BASKETS_MAX = 2_000

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

    A basket of a redemption's own minute (23:59:00 sharp) comes before it, later ones after it.
    """
    coming = iter(baskets)
    basket = next(coming, None)
    for stop in _stops(redemptions, end):
        while basket is not None and basket.at <= stop.until:
            if len(stop.baskets) == BASKETS_MAX:
                yield Stretch(stop.baskets[-1].at, stop.baskets)
                stop.baskets = []
            stop.baskets.append(basket)
            basket = next(coming, None)
        yield stop


def _stops(redemptions: Iterable[Redemption], end: datetime) -> list[Stretch]:
    """Stretches without their baskets: one per instant at which something is done, and the end."""
    stops = {end: Stretch(end)}
    for at, found in groupby(redemptions, key=lambda redemption: redemption.at):
        if at <= end:
            stops.setdefault(at, Stretch(at)).redemptions += found
    for at in month_ends():
        if at <= end:
            stops.setdefault(at, Stretch(at)).sweeps = True
    return [stops[at] for at in sorted(stops)]


def month_ends() -> list[datetime]:
    """The first instant (UTC) after each local month of the year."""
    first = date(YEAR, 1, 1)
    return [day_start(add_months(first, count), ZONE).astimezone(UTC) for count in range(1, 13)]
