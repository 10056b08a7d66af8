"""What is still needed to reach the next tier and to keep this one, by each path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty.days import day_start, local_day
from loyalty.units import format_minor
from loyalty_tiers.challenging import window_of
from loyalty_tiers.counting import Sums
from loyalty_tiers.periods import INSTANT, Lasts, Window
from loyalty_tiers.standing import EMPTY, Standing
from loyalty_tiers.tier import Path, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One minimum of a path: what there is of a metric, and what is missing; decimal numbers."""

    metric: str
    label: str
    needed: str
    have: str
    missing: str
    since: datetime | None
    before: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A path with all its parts; `met` where nothing is missing."""

    parts: tuple[Part, ...]
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The ways to the next tier, to keep this one until `keep_by`, and to meet a challenge."""

    next: Tier | None
    reach: tuple[Way, ...]
    keep: tuple[Way, ...]
    keep_by: datetime | None
    challenge: tuple[Way, ...] = ()


def progress(standing: Standing, sums: Sums, at: datetime) -> Progress:
    """As it stands at an instant."""
    higher = sums.config.tiers[sums.config.rank(standing.tier) + 1 :]
    following = next((tier for tier in higher if not tier.by_invitation and tier.qualify), None)
    return Progress(
        next=following,
        reach=_ways(sums, following.qualify if following else (), at),
        keep=_kept(standing, sums, at),
        keep_by=standing.ends_at or standing.until,
        challenge=_challenged(standing, sums, at),
    )


def _kept(standing: Standing, sums: Sums, at: datetime) -> tuple[Way, ...]:
    tier, until = sums.config.by_id.get(standing.tier or ""), standing.ends_at or standing.until
    lasts = sums.config.validity.lasts
    if tier is None or (until is None and lasts is not Lasts.WHILE_MET):
        return ()
    if until is None or standing.in_grace:
        return _ways(sums, tier.kept_by, at)
    if lasts is not Lasts.SPAN:
        return _ways(sums, tier.kept_by, until - INSTANT)
    since = day_start(local_day(standing.reached_at, sums.zone), sums.zone)
    return _ways(sums, tier.kept_by, at, Window(since, until), standing.less)


def _challenged(standing: Standing, sums: Sums, at: datetime) -> tuple[Way, ...]:
    under_way = standing.challenge
    if under_way is None or (one := sums.config.challenges_by_id.get(under_way.id)) is None:
        return ()
    return _ways(sums, one.qualify, at, window_of(under_way, sums), under_way.less)


def _ways(
    sums: Sums, paths: Sequence[Path], at: datetime, window: Window | None = None,
    less: Mapping[str, int] = EMPTY,
) -> tuple[Way, ...]:  # fmt: skip
    ways = []
    for path in paths:
        parts = [
            (_part(sums, metric, least, window or sums.window(metric, at), less))
            for metric, least in path.needs.items()
        ]
        ways.append(
            Way(parts=tuple(part for part, _ in parts), met=not any(lack for _, lack in parts))
        )
    return tuple(ways)


def _part(
    sums: Sums, metric: str, least: str, window: Window, less: Mapping[str, int]
) -> tuple[Part, int]:
    have, need = sums.have(metric, window, less), sums.need(metric, least)
    places, lack = sums.places[metric], max(0, need - have)
    ever = metric in sums.totals
    part = Part(
        metric=metric,
        label=sums.config.metrics_by_id[metric].label,
        needed=format_minor(need, places),
        have=format_minor(have, places),
        missing=format_minor(lack, places),
        since=None if ever else window.since,
        before=None if ever else window.before,
    )
    return part, lack
