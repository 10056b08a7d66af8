"""Members come and go."""

from loyalty.errors import Code, Refused
from loyalty.facts import MemberClosed, MemberEnrolled, MemberRef
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
    member, book = s.the_member, s.batch.book
    if member.status == "CLOSED":
        raise Refused(Code.ALREADY_CLOSED, "the member is closed already", field="member")
    closed = MemberView(
        id=member.id, external_id=member.external_id, status="CLOSED",
        enrolled_at=member.enrolled_at, attributes=member.attributes,
    )  # fmt: skip
    book.change(s, "member", closed)
    book.put(s.batch.members, member.id, closed)
    book.rows.members.append(
        (member.id, member.external_id, "CLOSED", dict(member.attributes), member.enrolled_at, s.at)
    )


def forfeit(s: Settling) -> None:
    """Who left keeps nothing: neither what was there, nor what a hold or a burn gives back."""
    book, member = s.batch.book, s.the_member
    for (owner, _, kind), account in list(book.accounts.items()):
        if owner == member.id and kind == MAIN:
            end(s, account, book.open_lots(account), at=s.at)
