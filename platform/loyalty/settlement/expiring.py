"""The end of lots: booked at the instant of their term, whenever the sweep runs."""

from loyalty.errors import Code, Refused
from loyalty.facts import Expired, LotsDue
from loyalty.ledger.account import BREAKAGE
from loyalty.ledger.lots import Lot
from loyalty.settlement.settling import Settling


class NothingDue(Refused):
    """Another worker was here before: nothing is written."""

    def __init__(self) -> None:
        super().__init__(Code.NOT_FOUND, "nothing is due")


def expire(s: Settling, fact: LotsDue) -> None:
    """Take what is left of the member's lots whose term is reached to where their program says."""
    book, member = s.batch.book, s.the_member
    account = book.look(member.id, fact.unit)
    due = [
        lot
        for lot in (book.open_lots(account) if account else ())
        if lot.remaining and lot.expired(s.at)
    ]
    if account is None or not due:
        raise NothingDue
    for program_id in sorted({lot.program_id for lot in due}, key=str):
        lots: list[Lot] = [lot for lot in due if lot.program_id == program_id]
        if program_id is None:
            slug, target = "", book.tenant_account(fact.unit, BREAKAGE)
        else:
            program = s.batch.setup.program_by_id(program_id)
            slug = program.slug if program else ""
            target = book.program_account(program_id, fact.unit, BREAKAGE)
        amount = book.expire(s.cause(program_id=program_id), account, lots, target)
        s.taken.append({"unit": fact.unit, "amount": amount, "wanted": amount, "rule": slug})
        s.follow(
            Expired(
                member=fact.member, occurred_at=s.at, program=slug, unit=fact.unit, amount=amount
            )
        )
    s.touch(member.id, fact.unit)
