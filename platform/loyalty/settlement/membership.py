"""Members come and go."""

from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.facts import MemberClosed, MemberEnrolled, MemberRef
from loyalty.ids import new_id
from loyalty.ledger.account import BREAKAGE, MAIN
from loyalty.ledger.lots import Lot
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
        if batch.refs.get(MemberRef(identifier=value)) is not None:
            raise Refused(
                Code.ALREADY_EXISTS,
                "another member has this identifier",
                field=f"identifiers.{index}",
            )
    member = MemberView(
        id=new_id(), external_id=fact.external_id, enrolled_at=s.at, attributes=fact.attributes
    )
    s.member = member
    batch.book.put(batch.members, member.id, member)
    _name(s, MemberRef(external_id=fact.external_id), member.id)
    for value in fact.identifiers:
        _name(s, MemberRef(identifier=value), member.id)
        batch.book.rows.identifiers.append((value, member.id))
    batch.book.rows.members.append(
        (member.id, member.external_id, "ACTIVE", dict(fact.attributes), s.at, None)
    )


def close(s: Settling, fact: MemberClosed) -> None:
    """End a membership: what is left is forfeited, each lot to the program that granted it."""
    member, book = s.the_member, s.batch.book
    if member.status == "CLOSED":
        raise Refused(Code.ALREADY_CLOSED, "the member is closed already", field="member")
    for (owner, unit, kind), account in list(book.accounts.items()):
        if owner != member.id or kind != MAIN or account.balance == 0:
            continue
        by_program: dict[UUID | None, list[Lot]] = {}
        for lot in book.open_lots(account):
            by_program.setdefault(lot.program_id, []).append(lot)
        for program_id, lots in by_program.items():
            target = (
                book.tenant_account(unit, BREAKAGE)
                if program_id is None
                else book.program_account(program_id, unit, BREAKAGE)
            )
            book.expire(s.cause(program_id=program_id), account, lots, target)
        s.touch(member.id, unit)
    closed = MemberView(
        id=member.id, external_id=member.external_id, status="CLOSED",
        enrolled_at=member.enrolled_at, attributes=member.attributes,
    )  # fmt: skip
    book.change(s, "member", closed)
    s.batch.members[member.id] = closed
    book.rows.members.append(
        (member.id, member.external_id, "CLOSED", dict(member.attributes), member.enrolled_at, s.at)
    )


def _name(s: Settling, ref: MemberRef, member_id: UUID) -> None:
    s.batch.refs.pop(ref, None)
    s.batch.book.put(s.batch.refs, ref, member_id)
