"""Challenges under way: taken, met, and over. Pure."""

from dataclasses import replace
from datetime import datetime

from loyalty.days import day_start, local_day
from loyalty_tiers.challenges import Challenge
from loyalty_tiers.counting import Sums
from loyalty_tiers.deriving import reached
from loyalty_tiers.periods import Window, days_later
from loyalty_tiers.standing import Basis, Reason, Standing, Taken


def taken(
    standing: Standing, sums: Sums, challenge: Challenge, at: datetime, *, given: bool = False
) -> Standing:
    """The standing of who takes a challenge at an instant. One that was given counts that whole
    day: nobody asked for it then, and a worker may have come later."""
    config = sums.config
    until = days_later(at, challenge.span, sums.zone)
    less = dict(sums.totals) if given else sums.before(at)
    under_way = Taken(id=challenge.id, since=at, until=until, less=less, given=given)
    times = {**standing.taken, challenge.id: standing.taken.get(challenge.id, 0) + 1}
    if challenge.meanwhile and config.rank(standing.tier) < config.rank(challenge.tier):
        standing = Standing(
            tier=challenge.tier, since=at, reached_at=at, reason=Reason.CHALLENGE, until=until,
            less=sums.on_day(day_start(local_day(at, sums.zone), sums.zone)),
            offers=standing.offers,
        )  # fmt: skip
    return replace(standing, challenge=under_way, taken=times)


def window_of(under_way: Taken, sums: Sums) -> Window:
    """What is counted for a challenge; of its first day only what came after it was taken."""
    return Window(day_start(local_day(under_way.since, sums.zone), sums.zone), under_way.until)


def challenge_met(standing: Standing, sums: Sums, at: datetime) -> Standing | None:
    """With the tier that a challenge leads to; None where it is not met, or there is none."""
    under_way, config = standing.challenge, sums.config
    if under_way is None or at >= under_way.until:
        return None
    challenge = config.challenges_by_id.get(under_way.id)
    if challenge is None:
        return None
    window = window_of(under_way, sums)
    if not sums.met_since(challenge.qualify, window, under_way.less):
        return None
    done = replace(standing, challenge=None)
    tier = config.by_id[challenge.tier]
    if config.rank(standing.tier) > config.rank(tier.id):
        return done
    basis = Basis(at=at, window=window, less=under_way.less)
    now = reached(sums, done, tier, at, Reason.CHALLENGE, basis=basis, validity=challenge.validity)
    shorter = standing.until is None or (now.until is not None and now.until < standing.until)
    return done if standing.tier == tier.id and shorter else now


def challenge_over(standing: Standing, sums: Sums, end: datetime) -> Standing:
    """Without the challenge, which was not met in its time."""
    assert standing.challenge is not None
    by_it = standing.reason is Reason.CHALLENGE and standing.until == end
    reason = Reason.CHALLENGE_FAILED if by_it else standing.reason
    return replace(standing, challenge=None, reason=reason)
