"""Who brought whom: the first code that a new member names counts. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from loyalty.days import SpanEnd, span_end
from loyalty.effects import Effect, Emit, Refuse, Write
from loyalty.errors import Code
from loyalty.facts import MemberEnrolled, MemberRef
from loyalty.view import MemberView, View
from loyalty_referrals.commands import ClaimCode
from loyalty_referrals.config import ReferralsConfig, Via
from loyalty_referrals.counting import ORDERS
from loyalty_referrals.facts import Attributed, Flagged
from loyalty_referrals.guards import Reason, Verdict
from loyalty_referrals.needs import CODE, SIGNALS
from loyalty_referrals.rows import CodeRow, FailedRow, Looked, Referral, SignalRow
from loyalty_referrals.standing import referral_of

FACTS = "facts"  # the caller that codes in enrolments and orders are counted for
TENANT = "tenant"


def enroll(config: ReferralsConfig, fact: MemberEnrolled, view: View) -> Iterable[Effect]:
    """A new member has a code of their own, and may have named somebody's."""
    if view.member is None:
        return
    yield Write(row=CodeRow())
    yield from kept_signals(view.needs.get(SIGNALS) or {})
    looked: Looked | None = view.needs.get(CODE)
    if Via.ENROLMENT in config.attribution.via and looked is not None:
        yield from named(config, view, view.member, looked, Via.ENROLMENT, fact.occurred_at)


def claim(config: ReferralsConfig, command: ClaimCode, view: View) -> Iterable[Effect]:
    """A member names a code after the enrolment. Whether it is one shows only in what is written:
    a code that is none is recorded the same way, and counted."""
    if command.program != view.program or view.member is None:
        return
    if (refusal := _may_not_claim(config, command, view, view.member)) is not None:
        yield refusal
        return
    yield from kept_signals(command.signals)
    looked: Looked = view.needs[CODE]
    if looked.referrer is None:
        mine = callers(view.member.id, command.client)
        yield Write(row=FailedRow(callers=mine, at=looked.now))
        return
    yield from _attributed(config, view, view.member, looked, "claim", command.occurred_at)


def named(
    config: ReferralsConfig, view: View, member: MemberView, looked: Looked, via: Via, at: datetime
) -> Iterator[Effect]:
    """A code came with a fact: what it does, if the member has nobody who brought them yet."""
    if (known := referral_of(view)) is not None and not known.own_code:
        return
    if looked.is_none:
        yield Write(row=FailedRow(callers=(FACTS,), at=looked.now))
    if looked.referrer is None:
        return
    yield from _attributed(config, view, member, looked, via.value, at)


def callers(member: UUID | None, client: str) -> tuple[str, ...]:
    """Under whose names a failed claim is counted."""
    return (f"member:{member}", f"client:{client}", TENANT)


def kept_signals(signals: Mapping[str, str]) -> Iterator[Effect]:
    for kind, value in sorted(signals.items()):
        yield Write(row=SignalRow(kind=kind, hash=value))


def _attributed(
    config: ReferralsConfig, view: View, member: MemberView, looked: Looked, via: str, at: datetime
) -> Iterator[Effect]:
    assert looked.referrer is not None
    span, own = config.attribution.span, looked.referrer == member.id
    row = Referral(
        id=uuid5(view.setup.tenant_id, f"referral:{view.program}:{member.id}"),
        referrer=looked.referrer,
        code=looked.code,
        via=via,
        attributed_at=at,
        open_until=None if span is None else span_end(at, span, view.zone, SpanEnd.EXACT),
        verdict=Verdict.BLOCKED if own else Verdict.CLEAR,
        reasons=(Reason.SAME_MEMBER,) if own else (),
    )
    yield Write(row=row)
    ref = MemberRef(id=member.id)
    if own:
        yield Emit(fact=flagged(view, ref, row, at))
        return
    yield Emit(
        fact=Attributed(
            member=ref, occurred_at=at, program=view.program, referral=row.id, via=via
        ),
        apart=True,
    )  # fmt: skip


def flagged(view: View, member: MemberRef, row: Referral, at: datetime) -> Flagged:
    return Flagged(
        member=member, occurred_at=at, program=view.program, referral=row.id,
        verdict=row.verdict.value, reasons=tuple(row.reasons),
    )  # fmt: skip


def _may_not_claim(
    config: ReferralsConfig, command: ClaimCode, view: View, member: MemberView
) -> Refuse | None:
    """Why no code at all is taken from this member, now."""
    days = timedelta(days=config.attribution.claim_days)
    since = member.enrolled_at
    if (known := referral_of(view)) is not None and not known.own_code:
        return Refuse(code=Code.ALREADY_EXISTS, message="the member named a code before")
    late = since is None or command.occurred_at - since > days
    if Via.ENROLMENT not in config.attribution.via or late or view.counters[ORDERS]:
        return Refuse(
            code=Code.TOO_LATE,
            message="a code is taken from new members only, before their first order",
            details={"claimDays": config.attribution.claim_days},
        )
    looked: Looked = view.needs[CODE]
    failed, limits = looked.failed, config.guessing
    allowed = (limits.per_member, limits.per_client, limits.per_tenant)
    for caller, most in zip(callers(member.id, command.client), allowed, strict=True):
        if failed.get(caller, 0) >= most:
            return Refuse(
                code=Code.LIMIT_REACHED,
                message="too many codes that are none were named: no code is taken this hour",
                field="code",
            )
    return None
