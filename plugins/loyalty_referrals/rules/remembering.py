"""What is remembered of friends who were rewarded and then erased, and for how long. Pure."""

from collections.abc import Iterable

from loyalty.days import SpanEnd, span_end
from loyalty.effects import Effect, Emit, Write
from loyalty.facts import MemberErased, MemberRef
from loyalty.view import View
from loyalty_referrals.config import ReferralsConfig
from loyalty_referrals.facts import PastForgotten
from loyalty_referrals.guards import Then
from loyalty_referrals.rows import ForgottenRow, PastRow
from loyalty_referrals.signals import Kind
from loyalty_referrals.standing import referral_of


def remember(config: ReferralsConfig, fact: MemberErased, view: View) -> Iterable[Effect]:
    """Keep what a rewarded friend was seen with, of the kinds that guards look at."""
    row, span = referral_of(view), config.guards.remembered
    kinds = tuple(kind.value for kind in Kind if config.guards.of(kind) is not Then.IGNORE)
    if view.member is None or row is None or row.key is None or not row.verdict.pays:
        return
    if span is None or not kinds:
        return
    # With the month, so that no instant leads back to whose erasure it was.
    until = span_end(fact.occurred_at, span, view.zone, SpanEnd.MONTH)
    yield Write(row=PastRow(referrer=row.referrer, kinds=kinds, until=until))
    forgotten = PastForgotten(
        member=MemberRef(id=view.member.id), occurred_at=until, program=view.program
    )
    yield Emit(fact=forgotten, at=until)


def forget(config: ReferralsConfig, fact: PastForgotten, view: View) -> Iterable[Effect]:
    """The time is over."""
    if fact.program == view.program:
        yield Write(row=ForgottenRow(at=fact.occurred_at))
