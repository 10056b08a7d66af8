"""A standing going on in time: ends that come, tiers that are reached, kept and lost. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from loyalty_tiers.challenging import challenge_met, challenge_over
from loyalty_tiers.config import OnReturn, TiersConfig, Upgrade
from loyalty_tiers.counting import Sums
from loyalty_tiers.deriving import (
    below_all,
    derived,
    is_for_life,
    kept,
    lowered,
    reached,
    stands,
)
from loyalty_tiers.offers import begun
from loyalty_tiers.periods import INSTANT, Ends, Kind, Lasts, boundaries, days_later
from loyalty_tiers.standing import Basis, Reason, Standing

TURNS_MAX = 1_000  # ends that are passed in one go; a ladder of one-day periods is looked at daily
NOTHING: Mapping[str, int] = {}
BY_SUMS = (Reason.REACHED, Reason.KEPT, Reason.NOT_KEPT, Reason.RETURNED, Reason.NEW_RULES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A change of a standing at an instant, and what it was before."""

    at: datetime
    before: Standing
    now: Standing

    @property
    def is_news(self) -> bool:
        """Whether the member has another tier, another end of it, or it began to end."""
        names = ("tier", "until", "ends_at", "challenge")
        return any(getattr(self.before, name) != getattr(self.now, name) for name in names)


def advance(standing: Standing, sums: Sums, at: datetime) -> tuple[Standing, list[Step]]:
    """The standing at an instant, and the changes on the way, oldest first."""
    steps = []
    for when, now in _steps(standing, sums, at):
        steps.append(Step(at=when, before=standing, now=now))
        standing = now
    news = [step for step in steps if step.is_news]
    return looked_ahead(standing, sums, at), news


def _steps(standing: Standing, sums: Sums, at: datetime) -> Iterator[tuple[datetime, Standing]]:
    for _ in range(TURNS_MAX):
        end = _next(standing)
        if end is None or end > at:
            break
        standing = passed(standing, sums, end)
        yield end, standing
    for when, now in _looked(standing, sums, at):
        standing = now
        yield when, standing


def _looked(standing: Standing, sums: Sums, at: datetime) -> Iterator[tuple[datetime, Standing]]:
    """What the sums of an instant change, then those of days that came later (of a late fact)."""
    if standing.locked:
        return
    if (now := _gone(standing, sums, at)) is not None:
        standing = now
        yield at, standing
    if (now := _revoked(standing, sums, at)) is not None:
        standing = now
        yield at, standing
    if (now := challenge_met(standing, sums, at)) is not None:
        standing = now
        yield at, standing
    later = sums.days(at, standing.since.max.replace(tzinfo=at.tzinfo))
    for instant in [at, *later]:
        if (now := _risen(standing, sums, instant)) is not None:
            standing = now
            yield instant, standing
    if (now := _unmet(standing, sums, max([at, *later]))) is not None:
        yield max([at, *later]), now


def _gone(standing: Standing, sums: Sums, at: datetime) -> Standing | None:
    """Of who has a tier that the ladder has no more."""
    config = sums.config
    if standing.tier is None or standing.tier in config.by_id:
        return None
    tier = derived(sums, at)
    if tier is None or tier is config.first:
        return below_all(config, standing, at, Reason.NEW_RULES)
    return reached(sums, standing, tier, at, Reason.NEW_RULES)


def _next(standing: Standing) -> datetime | None:
    challenge = None if standing.challenge is None else standing.challenge.until
    offer = min((one.at for one in standing.offers), default=None)
    ends = (standing.ends_at or standing.until, standing.rise_at, challenge, offer)
    return min([one for one in ends if one is not None], default=None)


def passed(standing: Standing, sums: Sums, end: datetime) -> Standing:
    """What becomes of a standing at its end, or where a better one begins."""
    if standing.challenge is not None and standing.challenge.until == end:
        standing = challenge_over(standing, sums, end)
    if any(one.at <= end for one in standing.offers):
        standing = begun(standing, sums, end)
    if end == (standing.ends_at or standing.until):
        standing = _ended(standing, sums, end)
    if standing.rise_at == end:
        standing = replace(standing, rise_at=None)
        tier = derived(sums, end - INSTANT, standing.tier)
        if tier is not None and sums.config.rank(tier.id) > sums.config.rank(standing.tier):
            basis = Basis(at=end - INSTANT)
            return reached(sums, standing, tier, end, Reason.REACHED, basis=basis)
    return standing


def _ended(standing: Standing, sums: Sums, end: datetime) -> Standing:
    config = sums.config
    if not standing.locked and (basis := kept(sums, standing, end)) is not None:
        tier = config.by_id[standing.tier or ""]
        again = reached(sums, standing, tier, end, Reason.KEPT, basis=basis, less=NOTHING)
        if again.until is None or again.until > end:
            return again
    spared = standing.in_grace or standing.locked or standing.reason is Reason.CHALLENGE_FAILED
    if config.grace_span is not None and not spared:
        ends_at = days_later(end, config.grace_span, sums.zone, Ends.DAY)
        return replace(standing, ends_at=ends_at, reason=Reason.IN_GRACE)
    return _fallen(replace(standing, locked=False) if standing.locked else standing, sums, end)


def _fallen(standing: Standing, sums: Sums, end: datetime) -> Standing:
    tier, reason = lowered(sums, standing, end)
    if tier is None or tier is sums.config.first:
        return below_all(sums.config, standing, end, reason)
    basis = Basis(at=end - INSTANT)
    return reached(sums, standing, tier, end, reason, basis=basis, less=NOTHING)


def _risen(standing: Standing, sums: Sums, at: datetime) -> Standing | None:
    """A better tier that the sums give, or a longer end of the same one."""
    config, tier = sums.config, derived(sums, at, standing.tier)
    if tier is None:
        return None
    rank, had = config.rank(tier.id), config.rank(standing.tier)
    now = reached(sums, standing, tier, at, Reason.REACHED)
    if rank > had:
        waits = config.upgrade is Upgrade.NEXT_PERIOD and not is_for_life(sums, tier, at)
        return None if waits else now
    if rank < had or standing.until is None or tier is config.first:
        return None
    for_life = now.until is None and config.validity.lasts is not Lasts.WHILE_MET
    longer = config.validity.lasts is Lasts.PERIODS and now.until and now.until > standing.until
    if for_life or longer or standing.in_grace:
        return replace(now, reason=Reason.KEPT)
    return None


def _revoked(standing: Standing, sums: Sums, at: datetime) -> Standing | None:
    """After a return took away what it was reached by, where the ladder revokes it then."""
    config = sums.config
    if config.on_return is not OnReturn.REVOKE or standing.reason not in BY_SUMS:
        return None
    if standing.basis is None or stands(sums, standing):
        return None
    best = max(_bases(standing.basis, sums, at), key=lambda one: _rank(sums, one, standing.tier))
    tier = derived(sums, best, standing.tier)
    if tier is None or tier is config.first:
        return below_all(config, standing, at, Reason.RETURNED)
    if tier.id == standing.tier and standing.until is None:
        return None
    return reached(sums, standing, tier, at, Reason.RETURNED, basis=Basis(at=best))


def _bases(basis: Basis, sums: Sums, at: datetime) -> list[datetime]:
    """Instants whose sums give a tier that is valid at `at`: of now, of when it was reached, and
    of earlier periods; of equals the one that lasts longest comes first."""
    validity, period, found = sums.config.validity, sums.config.period, [at]
    if validity.lasts is not Lasts.PERIODS:
        return [at, basis.at]
    for _ in range(validity.periods):
        found.append(period.window(found[-1], sums.zone, sums.enrolled_at).since - INSTANT)
    return found


def _rank(sums: Sums, at: datetime, held: str | None) -> int:
    tier = derived(sums, at, held)
    return -1 if tier is None else sums.config.rank(tier.id)


def _unmet(standing: Standing, sums: Sums, at: datetime) -> Standing | None:
    """Where a tier lasts while its sums are there: they are not any more."""
    config = sums.config
    if config.validity.lasts is not Lasts.WHILE_MET or standing.reason not in BY_SUMS:
        return None
    if standing.until is not None or config.rank(standing.tier) <= config.rank(_first(config)):
        return None
    tier = derived(sums, at, standing.tier)
    if tier is not None and config.rank(tier.id) >= config.rank(standing.tier):
        return None
    if config.grace_span is not None:
        ends_at = days_later(at, config.grace_span, sums.zone, Ends.DAY)
        return replace(standing, until=at, ends_at=ends_at, reason=Reason.IN_GRACE)
    if tier is None or tier is config.first:
        return below_all(config, standing, at, Reason.NOT_KEPT)
    return reached(sums, standing, tier, at, Reason.NOT_KEPT)


def _first(config: TiersConfig) -> str | None:
    return None if config.first is None else config.first.id


# --- what is known of the days to come ------------------------------------------------------------


def looked_ahead(standing: Standing, sums: Sums, at: datetime) -> Standing:
    """With what will be if nothing more is counted, and when to look at it again."""
    rise_at, drop_at = _rise_at(standing, sums, at), _drop_at(standing, sums, at)
    future = standing if standing.rise_at == rise_at else replace(standing, rise_at=rise_at)
    due, then_at = [one for one in (_next(future), drop_at) if one is not None], None
    # An end, the end of its grace, and no more: what is kept is looked at then.
    for _ in range(3 + len(standing.offers)):
        if (then_at := _next(future)) is None:
            break
        future = passed(future, sums, then_at)
        if future.tier != standing.tier or future.reason is Reason.KEPT:
            break
    changes = then_at is not None and future.tier != standing.tier
    return replace(
        standing, rise_at=rise_at, then_at=then_at if changes else None,
        then=future.tier if changes else None, due_at=min(due, default=None),
        fingerprint=sums.config.fingerprint,
    )  # fmt: skip


def _rise_at(standing: Standing, sums: Sums, at: datetime) -> datetime | None:
    """When a better tier begins that the sums of this period give already."""
    config = sums.config
    if config.upgrade is not Upgrade.NEXT_PERIOD or standing.locked:
        return None
    tier = derived(sums, at, standing.tier)
    if tier is None or config.rank(tier.id) <= config.rank(standing.tier):
        return None
    return config.period.window(at, sums.zone, sums.enrolled_at).before


def _drop_at(standing: Standing, sums: Sums, at: datetime) -> datetime | None:
    """When the sums that a tier lasts by are gone, if nothing more is counted."""
    config = sums.config
    if config.validity.lasts is not Lasts.WHILE_MET or standing.until is not None:
        return None
    had = config.rank(standing.tier)
    if had <= config.rank(_first(config)) or standing.reason not in BY_SUMS:
        return None
    for instant in _changes(sums, at):
        tier = derived(sums, instant, standing.tier)
        if tier is None or config.rank(tier.id) < had:
            return instant
    return None


def _changes(sums: Sums, at: datetime) -> list[datetime]:
    """The instants after `at` at which a sum changes by itself."""
    found: set[datetime] = set()
    for metric in sums.config.metrics:
        period = sums.config.period_of(metric)
        if period.kind is Kind.ROLLING:
            days = [day for day, _ in sums.buckets.get(metric.id, ())]
            found.update(boundaries(period, days, sums.zone))
        elif period.in_blocks:
            found.add(period.window(at, sums.zone, sums.enrolled_at).before)
    return sorted(one for one in found if one > at)
