"""Which tier sums give, and how long it lasts: what is asked wherever a standing changes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from loyalty.days import day_start, local_day
from loyalty_tiers.config import TiersConfig, Upgrade
from loyalty_tiers.counting import Sums
from loyalty_tiers.periods import INSTANT, Lasts, Validity, Window
from loyalty_tiers.standing import Basis, Reason, Standing
from loyalty_tiers.tier import Tier


def derived(sums: Sums, at: datetime, held: str | None = None) -> Tier | None:
    """The best tier that the sums of an instant give; `held` may be one by invitation."""
    return _best(
        sums.config.tiers,
        (
            tier
            for tier in sums.config.tiers
            if is_for_life(sums, tier, at)
            or tier is sums.config.first
            or (not tier.by_invitation and sums.met(tier.qualify, at))
            or (tier.by_invitation and tier.id == held and sums.met(tier.kept_by, at))
        ),
    )


def is_for_life(sums: Sums, tier: Tier, at: datetime) -> bool:
    return sums.met(tier.lifetime, at)


def start(config: TiersConfig, at: datetime) -> Standing:
    """Of somebody of whom nothing is known."""
    first = config.first
    return Standing(
        tier=first.id if first else None, since=at, reached_at=at, reason=Reason.START,
        fingerprint=config.fingerprint,
    )  # fmt: skip


def below_all(config: TiersConfig, before: Standing, at: datetime, reason: Reason) -> Standing:
    """Of who has no more than everybody has from the start."""
    first = config.first
    return Standing(
        tier=first.id if first else None, since=at, reached_at=at, reason=reason,
        challenge=before.challenge, taken=before.taken, offers=before.offers,
        fingerprint=config.fingerprint,
    )  # fmt: skip


def reached(
    sums: Sums, before: Standing, tier: Tier, at: datetime, reason: Reason,
    *, basis: Basis | None = None, validity: Validity | None = None,
    less: Mapping[str, int] | None = None,
) -> Standing:  # fmt: skip
    """The standing of who has `tier` from an instant on, by what was counted until then; `less` is
    what that day had before (None: all that is counted of it)."""
    config = sums.config
    basis = basis or Basis(at=at)
    forever = is_for_life(sums, tier, at)
    until = None
    if tier is not config.first and not forever:
        window = config.period.window(basis.at, sums.zone, sums.enrolled_at)
        until = (validity or config.validity).until(
            at, window, config.period, sums.zone, sums.enrolled_at
        )
        if until is not None and until <= at:  # of a period that is over: through the one of now
            until = config.period.window(at, sums.zone, sums.enrolled_at).before
    kept = tier.id == before.tier
    return Standing(
        tier=tier.id,
        since=before.since if kept else at,
        reached_at=at,
        reason=Reason.LIFETIME if forever and not kept else reason,
        until=until,
        less=sums.on_day(day_start(local_day(at, sums.zone), sums.zone)) if less is None else less,
        basis=basis,
        challenge=before.challenge,
        taken=before.taken,
        offers=before.offers,
        landed=reason is Reason.SOFT_LANDING,
        fingerprint=config.fingerprint,
    )


def begins_anew(config: TiersConfig) -> bool:
    """Whether what follows a validity is no matter of what was counted in it: what lasts just
    through its own period begins anew with the next one, as the sums do."""
    validity = config.validity
    own = validity.lasts is Lasts.PERIODS and not validity.periods
    return own and config.upgrade is Upgrade.AT_ONCE


def lowered(sums: Sums, standing: Standing, at: datetime) -> tuple[Tier | None, Reason]:
    """Where who did not keep their tier falls to at an instant, and why there."""
    config, top = sums.config, sums.config.rank(standing.tier)
    to = config.rank(_id(_given_by_ended(sums, standing, at)))
    if standing.reason is Reason.CHALLENGE_FAILED:
        return (config.tiers[to] if to >= 0 else None), standing.reason
    reason = Reason.NOT_KEPT
    if config.downgrade.value == "one_step":
        to = max(to, _below(config, top, 1))
    steps = config.soft_landing
    if steps is not None and not standing.landed and to < (least := _below(config, top, steps)):
        to, reason = least, Reason.SOFT_LANDING
    return (config.tiers[to] if to >= 0 else None), reason


def kept(sums: Sums, standing: Standing, at: datetime) -> Basis | None:
    """By what a standing is kept whose validity, or grace, ends at an instant; None: it is not."""
    tier = sums.config.by_id.get(standing.tier or "")
    if tier is None:
        return None
    judged = at - INSTANT
    if is_for_life(sums, tier, judged):
        return Basis(at=judged)
    if sums.config.validity.lasts is Lasts.SPAN:
        window = _validity_window(sums, standing, at)
        if sums.met_since(tier.kept_by, window, standing.less):
            return Basis(at=judged, window=window, less=standing.less)
        return None
    if begins_anew(sums.config):
        return None
    return Basis(at=judged) if sums.met(tier.kept_by, judged) else None


def stands(sums: Sums, standing: Standing) -> bool:
    """Whether what a tier was reached by is still there, after returns."""
    tier, basis = sums.config.by_id.get(standing.tier or ""), standing.basis
    if tier is None or basis is None:
        return True
    if is_for_life(sums, tier, basis.at):
        return True
    paths = (*tier.qualify, *tier.kept_by)
    if basis.window is not None:
        return sums.met_since(paths, basis.window, basis.less)
    return sums.met(paths, basis.at)


def _given_by_ended(sums: Sums, standing: Standing, at: datetime) -> Tier | None:
    """The best tier below that the validity which ends at an instant gives."""
    config, judged = sums.config, at - INSTANT
    below = config.tiers[: max(0, config.rank(standing.tier))]
    found = [one for one in below if one is config.first or is_for_life(sums, one, judged)]
    if not begins_anew(config):
        by_sums = [one for one in below if not one.by_invitation]
        found += [one for one in by_sums if sums.met(one.qualify, judged)]
        if config.validity.lasts is Lasts.SPAN:
            window, less = _validity_window(sums, standing, at), standing.less
            found += [
                one for one in by_sums if sums.met_since((*one.qualify, *one.kept_by), window, less)
            ]
    return _best(config.tiers, found)


def _validity_window(sums: Sums, standing: Standing, at: datetime) -> Window:
    return Window(day_start(local_day(standing.reached_at, sums.zone), sums.zone), at)


def _below(config: TiersConfig, rank: int, steps: int) -> int:
    """So many steps below, passing by what is for the invited; not below the first."""
    open_to_all = [
        at for at, tier in enumerate(config.tiers[: max(rank, 0)]) if not tier.by_invitation
    ]
    if not open_to_all:
        return -1
    lowest = open_to_all[0] if config.first else -1
    return open_to_all[-steps] if steps <= len(open_to_all) else lowest


def _best(order: Sequence[Tier], found: Iterable[Tier]) -> Tier | None:
    return max(found, key=order.index, default=None)


def _id(tier: Tier | None) -> str | None:
    return None if tier is None else tier.id
