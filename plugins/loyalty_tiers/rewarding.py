"""Challenges that other programs give as a reward, and take back. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from loyalty.effects import Effect
from loyalty.view import View
from loyalty_tiers.climbing import Step, advance, looked_ahead, passed
from loyalty_tiers.config import TiersConfig
from loyalty_tiers.counting import Sums
from loyalty_tiers.facts import RewardGiven, RewardWithdrawn
from loyalty_tiers.offers import without
from loyalty_tiers.rules import changed, standing_of
from loyalty_tiers.standing import Offer, Reason, Standing


def give(config: TiersConfig, fact: RewardGiven, view: View) -> Iterator[Effect]:
    """Have the challenges of this ladder begin when the reward can be used."""
    ids = [one for one in fact.challenges if one in config.challenges_by_id]
    if view.member is None or not ids:
        return
    at, sums = fact.occurred_at, Sums.of(config, view)
    was = standing_of(config, view, at)
    before, steps = advance(was, sums, at)
    offers = (Offer(id=one, at=max(at, fact.available_at)) for one in ids)
    now, more = advance(replace(before, offers=(*before.offers, *offers)), sums, at)
    yield from changed(sums, was, now, [*steps, *more], view, at)


def withdraw(config: TiersConfig, fact: RewardWithdrawn, view: View) -> Iterator[Effect]:
    """End the challenges that were given for what came back."""
    ids = [one for one in fact.challenges if one in config.challenges_by_id]
    if view.member is None or not ids:
        return
    at, sums = fact.occurred_at, Sums.of(config, view)
    was = standing_of(config, view, at)
    before, steps = advance(was, sums, at)
    now = before
    for one in ids:
        now = _ended(now, sums, one, at)
    step = Step(at=at, before=before, now=now)
    news = [*steps, step] if step.is_news else steps
    yield from changed(sums, was, looked_ahead(now, sums, at), news, view, at)


def _ended(standing: Standing, sums: Sums, challenge: str, at: datetime) -> Standing:
    under_way, now = standing.challenge, without(standing, challenge)
    if under_way is None or now.challenge is under_way:
        return now
    if standing.reason is not Reason.CHALLENGE or standing.until != under_way.until:
        return now
    # The tier was theirs meanwhile, and goes as if the challenge had not been met.
    fallen = passed(replace(now, until=at, reason=Reason.CHALLENGE_FAILED), sums, at)
    if fallen.reason is Reason.CHALLENGE_FAILED:
        return replace(fallen, reason=Reason.RETURNED)
    return fallen
