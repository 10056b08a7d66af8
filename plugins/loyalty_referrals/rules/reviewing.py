"""An admin's word about a referral that guards noticed. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from loyalty.effects import Effect, Refuse, Write
from loyalty.errors import Code
from loyalty.view import View
from loyalty_referrals.commands import ReviewReferral
from loyalty_referrals.config import ReferralsConfig
from loyalty_referrals.guards import Verdict
from loyalty_referrals.rules.qualifying import pay_both
from loyalty_referrals.standing import referral_of


def review(config: ReferralsConfig, command: ReviewReferral, view: View) -> Iterable[Effect]:
    """Release: both sides have what they would have had, usable from now on where the return window
    closed in the meantime, and as long as from then. Refuse: neither ever has."""
    if command.program != view.program or view.member is None:
        return
    row = referral_of(view)
    if row is None:
        yield Refuse(code=Code.NOT_FOUND, message="there is no such referral", field="referral")
        return
    if row.verdict not in (Verdict.REVIEW, Verdict.BLOCKED) or row.own_code:
        yield Refuse(
            code=Code.ALREADY_DECIDED,
            message="only a referral that is held or blocked can be decided, and once;"
            " a member's own code stays blocked",
            field="referral",
            details={"verdict": row.verdict.value},
        )
        return
    if row.key is not None and row.fact_id is None:
        yield Refuse(
            code=Code.VERSION_CONFLICT, message="it has just changed: ask again", field="referral"
        )
        return
    pays_at = row.pays_at
    if command.release and pays_at is not None:
        pays_at = max(pays_at, command.occurred_at)
    row = replace(
        row,
        verdict=Verdict.RELEASED if command.release else Verdict.REFUSED,
        pays_at=pays_at,
        decided_by=command.by,
        decided_at=command.occurred_at,
        decided_why=command.reason,
    )
    yield Write(row=row)
    if command.release and row.key is not None:
        yield from pay_both(view, row, view.member.id, row.fact_id)
