"""What a program does about referrals that look like fraud."""

from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import Field

from loyalty.days import Span
from loyalty_earning.notation import SpanText
from loyalty_earning.section import Section
from loyalty_referrals.signals import Kind

RING_MAX = 4  # members in a ring that is looked for


class Then(StrEnum):
    """What comes of a referral that a guard notices."""

    IGNORE = "ignore"
    REVIEW = "review"
    BLOCK = "block"


class Verdict(StrEnum):
    """What stands about a referral. RELEASED and REFUSED are an admin's word and final."""

    CLEAR = "CLEAR"
    REVIEW = "REVIEW"
    BLOCKED = "BLOCKED"
    RELEASED = "RELEASED"
    REFUSED = "REFUSED"

    @property
    def pays(self) -> bool:
        return self in (Verdict.CLEAR, Verdict.RELEASED)

    @property
    def is_open(self) -> bool:
        """Whether guards may still change it."""
        return self in (Verdict.CLEAR, Verdict.REVIEW, Verdict.BLOCKED)


class Reason(StrEnum):
    """What was noticed."""

    SAME_MEMBER = "SAME_MEMBER"
    SAME_EMAIL = "SAME_EMAIL"
    SAME_DEVICE = "SAME_DEVICE"
    SAME_PAYMENT = "SAME_PAYMENT"
    SAME_ADDRESS = "SAME_ADDRESS"
    VELOCITY = "VELOCITY"
    RING = "RING"


class Velocity(Section):
    """Too many friends in too short a time."""

    friends: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    """So many friends of one referrer in the time are usual; the next one is noticed."""
    hours: Annotated[int, Field(strict=True, ge=1, le=8_784)] = 24
    """How long the time is."""
    then: Then = Then.REVIEW
    """What comes of it: ignore, review or block."""


class Guards(Section):
    """What is compared of the two members, and what comes of it. The friend is compared with the
    referrer and with the referrer's other friends. A member's own code is always blocked."""

    email: Then = Then.BLOCK
    """The same e-mail address, whatever its case, dots before the @ and what follows a plus."""
    device: Then = Then.BLOCK
    """The same device."""
    payment: Then = Then.BLOCK
    """The same payment fingerprint, such as a card's."""
    address: Then = Then.REVIEW
    """The same postal address. Families have one, so it is reviewed by default."""
    ring: Then = Then.REVIEW
    """Up to 4 members who refer each other in a circle."""
    velocity: Velocity | None = None
    """Too many friends of one referrer in a short time; null: any number."""
    remembered_for: SpanText | None = "P1Y"
    """How long hashes of what a rewarded friend was seen with are compared after that friend was
    erased, to the end of a month: kept with the referrer alone, hashed once more, and then deleted.
    Null: they go at once, and who is erased and enrols again is a friend once more."""

    @cached_property
    def remembered(self) -> Span | None:
        return None if self.remembered_for is None else Span.parse(self.remembered_for)

    def of(self, kind: Kind) -> Then:
        found: Then = getattr(self, kind.value)
        return found

    def judge(
        self, shared: Iterable[str], recent: int, ring: int | None
    ) -> tuple[Verdict, tuple[Reason, ...]]:
        """What stands by what was noticed: kinds that are shared, the referrer's friends in the
        time of `velocity`, this one included, and how many members are in a ring."""
        noticed = [(Reason(f"SAME_{kind.upper()}"), self.of(Kind(kind))) for kind in sorted(shared)]
        if ring is not None:
            noticed.append((Reason.RING, self.ring))
        if self.velocity is not None and recent > self.velocity.friends:
            noticed.append((Reason.VELOCITY, self.velocity.then))
        found = {reason: then for reason, then in noticed if then is not Then.IGNORE}
        if Then.BLOCK in found.values():
            return Verdict.BLOCKED, tuple(found)
        return (Verdict.REVIEW if found else Verdict.CLEAR), tuple(found)
