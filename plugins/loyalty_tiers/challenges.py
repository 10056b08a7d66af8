"""Challenges: a tier for who does so much within a time, with or without having it meanwhile."""

from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field

from loyalty.days import Span
from loyalty_earning.notation import SpanText
from loyalty_earning.section import MIN_ONE, Identifier, Name, Section, has_some
from loyalty_tiers.periods import Validity
from loyalty_tiers.tier import PATHS_MAX, Path


class Challenge(Section):
    """What is to be done within a time that begins when a member takes it (`startChallenge`), or
    when the reward of a referral can be used that names it."""

    id: Identifier
    """Unique in the program and kept for ever."""
    label: Name
    """What members read."""
    tier: Identifier
    """The tier that it leads to."""
    lasts: SpanText
    """How long members have, from the day on which they take it, such as P90D."""
    qualify: Annotated[
        tuple[Path, ...], Field(max_length=PATHS_MAX, json_schema_extra=MIN_ONE),
        AfterValidator(has_some),
    ]  # fmt: skip
    """What to do, any of these: sums of what is counted within that time."""
    meanwhile: Annotated[bool, Field(strict=True)] = False
    """Whether the member has the tier while it runs, as in a status match."""
    validity: Validity | None = None
    """How long the tier lasts from when the challenge is met; null: as the ladder says."""
    times: Annotated[int, Field(strict=True, ge=1, le=100)] = 1
    """How often a member may take it."""

    @cached_property
    def span(self) -> Span:
        return Span.parse(self.lasts)
