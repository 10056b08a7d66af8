"""Guards: what is noticed about a friend and whoever brought them. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from loyalty.effects import Effect, Emit, Write
from loyalty.facts import MemberRef
from loyalty.view import View
from loyalty_referrals.config import ReferralsConfig
from loyalty_referrals.facts import Attributed
from loyalty_referrals.guards import Verdict
from loyalty_referrals.needs import EVIDENCE
from loyalty_referrals.rows import Evidence, Referral
from loyalty_referrals.rules.attributing import flagged
from loyalty_referrals.standing import referral_of

_WORSE = [Verdict.CLEAR, Verdict.REVIEW, Verdict.BLOCKED]


def look(config: ReferralsConfig, fact: Attributed, view: View) -> Iterable[Effect]:
    """Judge a referral once its rows are there for others to see, so that of two who name each
    other at the same instant at least one is noticed."""
    row = referral_of(view)
    if view.member is None or row is None or row.id != fact.referral:
        return
    after = judged(config, row, view)
    if after != row:
        yield Write(row=after)
        yield Emit(fact=flagged(view, MemberRef(id=view.member.id), after, fact.occurred_at))


def judged(config: ReferralsConfig, row: Referral, view: View) -> Referral:
    """The referral with what guards notice now; what was noticed before stays, and so does what an
    admin said."""
    found: Evidence | None = view.needs.get(EVIDENCE)
    if found is None or not row.verdict.is_open:
        return row
    verdict, reasons = config.guards.judge(found.shared, found.recent, found.ring)
    return replace(
        row,
        verdict=max(verdict, row.verdict, key=_WORSE.index),
        reasons=(*row.reasons, *(one for one in reasons if one not in row.reasons)),
    )
