"""Keys that do nothing beside the others in a referral program: asked of drafts alone."""

from collections.abc import Iterator, Sequence

from loyalty.plugin import IdleKey
from loyalty_referrals.config import Attribution, Codes, ReferralsConfig, Vanity, Via
from loyalty_referrals.reward import Reward

OF_UNITS = ("accounting_class", "lifetime", "take_back")
NOT_GIVEN = "goes with unit and amount; what a challenge gives its own program says: leave it out"
NO_WISHES = "nobody may ask for a code (vanity: nobody): leave wishes out, or let somebody"
NO_CLAIMS = "codes are claimed with via: enrolment: leave claim_days out, or add it to via"


def idle(config: ReferralsConfig) -> Iterator[IdleKey]:
    if config.codes.vanity is Vanity.NOBODY and config.codes.wishes != Codes().wishes:
        yield ("codes", "wishes"), NO_WISHES
    attribution = config.attribution
    claims = attribution.claim_days != Attribution().claim_days
    if claims and Via.ENROLMENT not in attribution.via:
        yield ("attribution", "claim_days"), NO_CLAIMS
    rewards = config.rewards
    for side in ("friend", "referrer", "ladder"):
        yield from _in_rewards(getattr(rewards, side), ("rewards", side))


def _in_rewards(rewards: Sequence[Reward], where: tuple[str, str]) -> Iterator[IdleKey]:
    for at, reward in enumerate(rewards):
        for key in OF_UNITS if reward.challenge is not None else ():
            if getattr(reward, key) != Reward.model_fields[key].get_default():
                yield (*where, at, key), NOT_GIVEN
