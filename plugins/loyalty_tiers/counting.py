"""The counters that a ladder keeps, and the sums that are made of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from zoneinfo import ZoneInfo

from loyalty.days import day_start, local_day
from loyalty.plugin import Counter, Scope
from loyalty.plugin import Window as CounterWindow
from loyalty.units import ratio
from loyalty.view import View
from loyalty_earning.uses import uses
from loyalty_tiers.config import TiersConfig
from loyalty_tiers.metric import Metric
from loyalty_tiers.periods import Kind, Window
from loyalty_tiers.tier import Path

DAYS_MAX = 3_660
Buckets = Mapping[str, Sequence[tuple[datetime, int]]]


def counters(config: TiersConfig) -> list[Counter]:
    bonuses = uses(config.bonuses) if config.bonuses is not None else ()
    return [*qualifying(config), *bonuses]


def qualifying(config: TiersConfig) -> list[Counter]:
    """Of the metrics, in their order."""
    return [_counter(config, metric) for metric in config.metrics]


def _counter(config: TiersConfig, metric: Metric) -> Counter:
    plain = is_plain(config, metric)
    return Counter(
        name=metric.counter_name, scope=Scope.MEMBER, measure=metric.measure,
        window=CounterWindow.LIFETIME, returns=True,
        kept_days=0 if plain else min(DAYS_MAX, config.kept_days or DAYS_MAX),
    )  # fmt: skip


def is_plain(config: TiersConfig, metric: Metric) -> bool:
    """Whether it is one number: of a lifetime, each day as often as it happened."""
    return config.period_of(metric).kind is Kind.LIFETIME and not metric.by_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What a member has of each metric, over whatever period.

    `totals` are lifetime sums, `buckets` the days of the others; `places` are decimal places.
    """

    config: TiersConfig
    zone: ZoneInfo
    enrolled_at: datetime | None
    totals: Mapping[str, int]
    buckets: Buckets
    places: Mapping[str, int]

    @classmethod
    def of(cls, config: TiersConfig, view: View) -> "Sums":
        plain = {one.id: is_plain(config, one) for one in config.metrics}
        names = {one.id: one.counter_name for one in config.metrics}
        return cls(
            config=config,
            zone=view.zone,
            enrolled_at=view.member.enrolled_at if view.member else None,
            totals={one: view.counters[names[one]] for one, is_one in plain.items() if is_one},
            buckets={one: view.buckets[names[one]] for one, is_one in plain.items() if not is_one},
            places={one.id: one.places(view.places) for one in config.metrics},
        )

    def window(self, metric: str, at: datetime) -> Window:
        """The period of a metric that an instant falls into."""
        period = self.config.period_of(self.config.metrics_by_id[metric])
        return period.window(at, self.zone, self.enrolled_at)

    def have(self, metric: str, window: Window, less: Mapping[str, int] | None = None) -> int:
        """The sum of a metric over a window; `less` is what its first day, or all that was ever
        counted, had before."""
        if metric in self.totals:
            return self.totals[metric] - (less or {}).get(metric, 0)
        by_day, total = self.config.metrics_by_id[metric].by_day, 0
        for bucket, value in self.buckets[metric]:
            if window.since <= bucket < window.before:
                if less and bucket == window.since:
                    value = max(0, value - less.get(metric, 0))
                total += min(value, 1) if by_day else value
        return total

    def need(self, metric: str, text: str) -> int:
        """A minimum in minor units; what is finer than these is rounded up."""
        return _minor(text, self.places[metric])

    def met(self, paths: Iterable[Path], at: datetime) -> bool:
        """Whether any of the paths is met by the periods that an instant falls into."""
        return any(
            all(
                self.have(metric, self.window(metric, at)) >= self.need(metric, least)
                for metric, least in path.needs.items()
            )
            for path in paths
        )

    def met_since(self, paths: Iterable[Path], window: Window, less: Mapping[str, int]) -> bool:
        """The same over a window of one's own; its first day had `less` before it began."""
        return any(
            all(
                self.have(metric, window, less) >= self.need(metric, least)
                for metric, least in path.needs.items()
            )
            for path in paths
        )

    def on_day(self, day: datetime) -> dict[str, int]:
        """What the day that begins at an instant has of each metric that is kept by day."""
        found = {one: dict(rows).get(day, 0) for one, rows in self.buckets.items()}
        return {metric: value for metric, value in found.items() if value}

    def before(self, at: datetime) -> dict[str, int]:
        """What a window that begins at an instant leaves out: of its day, and of sums of ever."""
        return self.on_day(day_start(local_day(at, self.zone), self.zone)) | dict(self.totals)

    def days(self, since: datetime, before: datetime) -> list[datetime]:
        """The days on which anything was counted in a window, in order."""
        return sorted(
            {day for rows in self.buckets.values() for day, _ in rows if since <= day < before}
        )


@lru_cache(maxsize=1_000)
def _minor(text: str, places: int) -> int:
    exact = ratio(text) * Fraction(10) ** places
    return -(-exact.numerator // exact.denominator)
