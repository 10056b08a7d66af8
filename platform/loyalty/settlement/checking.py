"""What the kernel refuses of any fact, before a rule sees it."""

from difflib import get_close_matches
from typing import NoReturn
from uuid import UUID

from loyalty.commands import (
    AdjustBalance,
    CaptureRedemption,
    Command,
    Redeem,
    ReleaseRedemption,
    ReverseRedemption,
)
from loyalty.errors import Code, Refused
from loyalty.facts import (
    ActivityRecorded,
    Fact,
    FactReversed,
    HoldLapsed,
    LotsDue,
    MemberClosed,
    MemberEnrolled,
    MemberErased,
    MemberFrozen,
    MemberUnfrozen,
    PurchaseRecorded,
    PurchaseReversed,
    TraitChanged,
)
from loyalty.settlement.settling import Settling
from loyalty.setup import TenantStatus

DATED = (PurchaseRecorded, PurchaseReversed, ActivityRecorded, MemberEnrolled)
STILL_WHEN_CLOSED = (  # what was begun comes to its end; nothing new is given
    MemberEnrolled,
    MemberClosed,
    PurchaseReversed,
    FactReversed,
    LotsDue,
    HoldLapsed,
    CaptureRedemption,
    ReleaseRedemption,
    ReverseRedemption,
)
NEEDS_MEMBER = (
    PurchaseRecorded,
    ActivityRecorded,
    MemberClosed,
    MemberErased,
    MemberFrozen,
    MemberUnfrozen,
    HoldLapsed,
    TraitChanged,
    Command,
)


def check(s: Settling) -> None:
    """:raises Refused: a suspended tenant, a wrong time, an unknown or closed member, ..."""
    fact = s.fact
    if s.batch.setup.status is TenantStatus.SUSPENDED and not s.request.while_suspended:
        raise Refused(Code.TENANT_SUSPENDED, "the tenant is suspended")
    if isinstance(fact, DATED) and not s.request.any_time and s.request.follows is None:
        _check_time(s)
    if s.member is None:
        _check_nobody(fact)
    elif s.member.status != "ACTIVE":
        _check_status(s.member.status, fact)
    match fact:
        case PurchaseRecorded():
            if fact.currency not in s.batch.setup.currencies:
                _refuse_currency(s, fact)
            _check_tenders(s, fact)
        case ActivityRecorded():
            _check_activity(s, fact)
        case Redeem() | AdjustBalance() if fact.unit not in s.batch.setup.units:
            raise Refused(Code.UNIT_NOT_FOUND, "the tenant has no such unit", field="unit")


def _check_nobody(fact: Fact) -> None:
    members_lots = isinstance(fact, LotsDue) and fact.owner is None
    if members_lots or isinstance(fact, NEEDS_MEMBER) or fact.member is not None:
        raise Refused(
            Code.MEMBER_NOT_FOUND, "there is no such member: enroll them first", field="member"
        )


def _check_status(status: str, fact: Fact) -> None:
    if status == "FROZEN" and isinstance(fact, Command) and not fact.STILL_WHEN_FROZEN:
        raise Refused(
            Code.MEMBER_FROZEN,
            "the member is frozen and spends nothing until staff unfreeze them",
            field="member",
        )
    if status == "CLOSED" and not fact.COMPLETES and not isinstance(fact, STILL_WHEN_CLOSED):
        raise Refused(
            Code.MEMBER_CLOSED,
            "the member left: enroll them again, under another external id",
            field="member",
        )


def _refuse_currency(s: Settling, fact: PurchaseRecorded) -> NoReturn:
    raise Refused(
        Code.CURRENCY_NOT_LISTED,
        f"the tenant does not take {fact.currency}",
        field="currency",
        details={"listed": list(s.batch.setup.currencies)},
    )


def _check_tenders(s: Settling, fact: PurchaseRecorded) -> None:
    """Points pay only what this member has redeemed, or holds for it."""
    for index, tender in enumerate(fact.tenders):
        if tender.redemption_id is None:
            continue
        field = f"tenders.{index}.redemption"
        redemption = s.batch.redemptions.get(UUID(tender.redemption_id))
        if redemption is None or redemption.member_id != s.the_member.id:
            raise Refused(Code.NOT_FOUND, "there is no such redemption", field=field)
        if redemption.state not in ("HELD", "CAPTURED"):
            raise Refused(
                Code.REDEMPTION_STATE,
                f"a redemption that is {redemption.state} pays nothing",
                field=field,
                details={"state": redemption.state},
            )


def _check_activity(s: Settling, fact: ActivityRecorded) -> None:
    """Its type is one that a program in force defines, if any defines types; so it fits these."""
    types = s.batch.plugins.activities(s.batch.setup, fact.occurred_at)
    if not types:
        return
    declared = [one for one in types if one.type == fact.type]
    if not declared:
        known = sorted({one.type for one in types})
        hints = [f": did you mean {one}?" for one in get_close_matches(fact.type, known, n=1)]
        raise Refused(
            Code.BAD_USER_INPUT,
            "no program defines this type of activity" + "".join(hints),
            field="type",
            details={"known": known},
        )
    for one in declared:
        for path, fault in one.faults(fact.attributes):
            field = f"attributes.{path}" if path else "attributes"
            raise Refused(Code.BAD_USER_INPUT, fault, field=field)


def _check_time(s: Settling) -> None:
    setup, now, at = s.batch.setup, s.batch.now, s.at
    if at > now and at > now + setup.ahead:
        raise Refused(
            Code.TOO_EARLY, "lies in the future: check the sender's clock", field="occurredAt"
        )
    if at < now - setup.backdating:
        raise Refused(
            Code.TOO_LATE,
            f"is more than {setup.backdating.days} days ago, the tenant's backdating window: widen"
            " that to record what is older",
            field="occurredAt",
        )
