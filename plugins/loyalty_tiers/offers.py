"""Challenges that were given as a reward: how they begin, and how they go again. Pure."""

from dataclasses import replace
from datetime import datetime

from loyalty_tiers.challenging import taken
from loyalty_tiers.counting import Sums
from loyalty_tiers.standing import Offer, Standing


def begun(standing: Standing, sums: Sums, at: datetime) -> Standing:
    """With the challenges that begin by an instant.

    One at a time: where another is under way it waits for the end of that. Who has the tier that it
    leads to, or took it as often as the ladder lets anybody, has no use for it.
    """
    config = sums.config
    for offer in [one for one in standing.offers if one.at <= at]:
        rest = tuple(one for one in standing.offers if one is not offer)
        challenge, under_way = config.challenges_by_id.get(offer.id), standing.challenge
        standing = replace(standing, offers=rest)
        if challenge is None or config.rank(standing.tier) >= config.rank(challenge.tier):
            continue
        if standing.taken.get(challenge.id, 0) >= challenge.times:
            continue
        if under_way is None:
            standing = taken(standing, sums, challenge, at, given=True)
        else:
            later = Offer(id=offer.id, at=under_way.until)
            standing = replace(standing, offers=(*rest, later))
    return standing


def without(standing: Standing, challenge: str) -> Standing:
    """Without a challenge that was given: one that is still to begin, or else the one under way.
    What a member has by one that was met is theirs."""
    for offer in standing.offers:
        if offer.id == challenge:
            rest = tuple(one for one in standing.offers if one is not offer)
            return replace(standing, offers=rest)
    under_way = standing.challenge
    if under_way is None or under_way.id != challenge or not under_way.given:
        return standing
    times = {**standing.taken, challenge: standing.taken.get(challenge, 1) - 1}
    return replace(standing, challenge=None, taken=times)
