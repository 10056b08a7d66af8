"""Members come and go, and may be frozen in between."""

from datetime import datetime

from loyalty.errors import Code, Refused
from loyalty.facts import (
    MemberClosed,
    MemberEnrolled,
    MemberErased,
    MemberFrozen,
    MemberRef,
    MemberUnfrozen,
)
from loyalty.ids import new_id
from loyalty.ledger.account import MAIN
from loyalty.settlement.expiring import end
from loyalty.settlement.settling import Settling
from loyalty.view import MemberView


def enroll(s: Settling, fact: MemberEnrolled) -> None:
    """Enter a new member. The external id and each identifier belong to one member only."""
    batch = s.batch
    if batch.refs.get(MemberRef(external_id=fact.external_id)) is not None:
        raise Refused(
            Code.MEMBER_EXISTS, "a member has this external id already", field="externalId"
        )
    for index, value in enumerate(fact.identifiers):
        taken = batch.refs.get(MemberRef(identifier=value)) is not None
        if taken or value in fact.identifiers[:index]:
            raise Refused(
                Code.ALREADY_EXISTS,
                "is named twice" if not taken else "another member has this identifier",
                field=f"identifiers.{index}",
            )
    member = MemberView(
        id=new_id(), external_id=fact.external_id, enrolled_at=s.at, attributes=fact.attributes
    )
    s.member = member
    batch.book.put(batch.members, member.id, member)
    batch.book.put(batch.enrolled, member.id, True)
    batch.book.put(batch.refs, MemberRef(external_id=fact.external_id), member.id)
    for value in fact.identifiers:
        batch.book.put(batch.refs, MemberRef(identifier=value), member.id)
        batch.book.rows.identifiers.append((value, member.id))
    batch.book.rows.members.append(
        (member.id, member.external_id, "ACTIVE", dict(fact.attributes), s.at, None)
    )


def close(s: Settling, fact: MemberClosed) -> None:
    """End a membership: what is left is forfeited, each lot to the program that granted it."""
    if s.the_member.status == "CLOSED":
        raise Refused(Code.ALREADY_CLOSED, "the member is closed already", field="member")
    _becomes(s, "CLOSED", closed_at=s.at)


def erase(s: Settling, fact: MemberErased) -> None:
    """Tell that a member was erased: only who left can be. What is erased is no value."""
    if s.the_member.status != "CLOSED":
        raise Refused(Code.BAD_USER_INPUT, "close the membership first", field="member")


def freeze(s: Settling, fact: MemberFrozen) -> None:
    """Let a member spend nothing. What they have, and what they earn, stays theirs."""
    if s.the_member.status == "FROZEN":
        raise Refused(Code.MEMBER_FROZEN, "the member is frozen already", field="member")
    _becomes(s, "FROZEN")


def unfreeze(s: Settling, fact: MemberUnfrozen) -> None:
    if s.the_member.status != "FROZEN":
        raise Refused(Code.NOT_FROZEN, "the member is not frozen", field="member")
    _becomes(s, "ACTIVE")


def _becomes(s: Settling, status: str, closed_at: datetime | None = None) -> None:
    member, book = s.the_member._replace(status=status), s.batch.book
    book.change(s, "member", member)
    book.put(s.batch.members, member.id, member)
    book.rows.members.append(
        (
            member.id, member.external_id, status, dict(member.attributes), member.enrolled_at,
            closed_at,
        )
    )  # fmt: skip


def forfeit(s: Settling) -> None:
    """Who left keeps nothing: neither what was there, nor what a hold or a burn gives back."""
    book, member = s.batch.book, s.the_member
    for (owner, _, kind), account in list(book.accounts.items()):
        if owner == member.id and kind == MAIN:
            end(s, account, book.open_lots(account), at=s.at)
