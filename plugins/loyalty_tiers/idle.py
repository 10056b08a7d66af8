"""Keys that do nothing beside the others in a ladder: asked of drafts alone."""

from collections.abc import Iterator

from loyalty.plugin import IdleKey
from loyalty_earning.idle import idle_in
from loyalty_tiers.config import TiersConfig
from loyalty_tiers.periods import Ends, Lasts, Validity


def idle(config: TiersConfig) -> Iterator[IdleKey]:
    for path, text in _in_validity(config.validity):
        yield ("validity", *path), text
    for at, challenge in enumerate(config.challenges):
        for path, text in _in_validity(challenge.validity or Validity()):
            yield ("challenges", at, "validity", *path), text
    for at, tier in enumerate(config.tiers):
        for of, rule in enumerate(tier.bonuses):
            for path, text in idle_in(rule):
                yield ("tiers", at, "bonuses", of, *path), text


def _in_validity(validity: Validity) -> Iterator[IdleKey]:
    usual = Validity()
    if validity.lasts is not Lasts.PERIODS and validity.periods != usual.periods:
        yield ("periods",), "goes with `lasts: periods`: leave it out"
    if validity.lasts is not Lasts.SPAN and validity.ends is not Ends.DAY:
        yield ("ends",), "goes with `lasts: span`: leave it out"
