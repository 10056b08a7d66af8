"""Replays: a key that is known answers as it did the first time, or says what differs."""

from collections.abc import Mapping
from typing import Any

from loyalty import facts
from loyalty.codec import differences
from loyalty.errors import Code, Refused
from loyalty.facts import (
    MemberEnrolled,
    MemberErased,
    MemberRef,
    PurchaseRecorded,
    purchase_key,
)
from loyalty.personal import under
from loyalty.settlement.batch import Batch, Known
from loyalty.settlement.request import Recorded, Request

CHANGED = {
    facts.PurchaseRecorded: (Code.PURCHASE_CHANGED, "send a correction as the next revision"),
    facts.PurchaseReversed: (Code.RETURN_CHANGED, "give another return an id of its own"),
    facts.ActivityRecorded: (Code.ACTIVITY_CHANGED, "give another activity an id of its own"),
    facts.MemberEnrolled: (Code.MEMBER_EXISTS, "change this member, or enroll under another id"),
}
OTHER = (Code.IDEMPOTENCY_MISMATCH, "make a new key for each command")


def replay(
    batch: Batch, request: Request, payload: Mapping[str, Any], member_id: Any
) -> Recorded | None:
    """The first answer to this key; another content under it is refused."""
    if request.client_key is not None:
        known = batch.commands.get(request.client_key)
    else:
        key = request.natural_key
        known = None if key is None else batch.known.get(key)
        newer = None
        if known is None and request.replaces is not None:
            newer = _newer(batch, request)
        if newer is not None and newer.member_id == member_id:
            return newer.replayed()  # what it says was told better since, whatever it was
        known = known or newer
    if known is None or _is_past(batch, request, known):
        return None
    new, old = dict(payload), dict(known.input)
    if isinstance(request.fact, PurchaseRecorded) and request.fact.revision > 1:
        # A correction happened when its purchase did.
        for name in ("occurred_at", "revision"):
            new.pop(name), old.pop(name)
    if request.client_key is not None or isinstance(request.fact, MemberEnrolled | MemberErased):
        # A command happens when it is carried out; these two are the same at any time.
        new.pop("occurred_at"), old.pop("occurred_at")
    if isinstance(request.fact, facts.PurchaseReversed) and new["purchase_revision"] is None:
        old["purchase_revision"] = None  # who names no revision contradicts none
    gone = old.pop("$erased", ())  # of who was erased: what is not there cannot be compared
    changed = [path for path in differences(old, new) if not any(under(path, one) for one in gone)]
    about = isinstance(request.fact, MemberEnrolled | facts.PurchaseReversed)
    if known.kind not in (request.fact.KIND, "ReturnParked"):
        changed.append("operation")
    if not about and known.member_id != member_id:
        changed.append("member")
    if changed:
        by_client = request.client_key is not None
        code, what_to_do = OTHER if by_client else CHANGED.get(type(request.fact), OTHER)
        raise Refused(
            code,
            f"this key was used before with other content: {what_to_do}",
            field=changed[0],
            details={"differs": changed},
        )
    if isinstance(request.fact, MemberEnrolled) and _left(batch, known):
        raise Refused(
            Code.MEMBER_CLOSED,
            "the member of this external id left: enroll under another one",
            field="externalId",
        )
    return known.replayed()


def _newer(batch: Batch, request: Request) -> Known | None:
    """The revision that stands where an older one comes that was never recorded."""
    fact, newest = request.fact, request.replaces
    if not isinstance(fact, PurchaseRecorded) or newest is None or newest <= fact.revision:
        return None
    return batch.known.get(purchase_key(fact.source, fact.external_id, newest))


def _left(batch: Batch, known: Known) -> bool:
    member = batch.members.get(known.member_id) if known.member_id else None
    return member is not None and member.status == "CLOSED"


def _is_past(batch: Batch, request: Request, known: Known) -> bool:
    """An enrolment under an external id that its member has given up: it is free again."""
    fact = request.fact
    return (
        isinstance(fact, MemberEnrolled)
        and batch.refs.get(MemberRef(external_id=fact.external_id)) != known.member_id
    )
