"""The end of lots: booked at the instant of their term, whenever the sweep runs."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.facts import Expired, LotsDue
from loyalty.ledger.account import BREAKAGE, Account
from loyalty.ledger.lots import Lot
from loyalty.owners import Owner
from loyalty.settlement.settling import Settling


class NothingDue(Refused):
    """Another worker was here before: nothing is written."""

    def __init__(self) -> None:
        super().__init__(Code.NOT_FOUND, "nothing is due")


def expire(s: Settling, fact: LotsDue) -> None:
    """Take what is left of an account's lots whose term is reached to where their program says."""
    if s.at > s.batch.now:
        raise Refused(Code.TOO_EARLY, "lies in the future", field="occurredAt")
    account = s.batch.book.look(fact.owner or s.the_member.id, fact.unit)
    ended = _end_by(s, account, s.at) if account else []
    if not ended:
        raise NothingDue
    s.taken += [
        {"unit": fact.unit, "amount": told.amount, "wanted": told.amount, "rule": told.program}
        for told in ended
    ]


def end_due(s: Settling, account: Account) -> list[Expired]:
    """End the lots whose term is reached, as a sweep would have; also those that a fact that comes
    late would have found alive: a sweep may have run since, and it must make no difference."""
    return _end_by(s, account, max(s.at, s.batch.now))


def _end_by(s: Settling, account: Account, at: datetime) -> list[Expired]:
    return end(s, account, [x for x in s.batch.book.open_lots(account) if x.expired(at)])


def end(
    s: Settling, account: Account, lots: Iterable[Lot], at: datetime | None = None
) -> list[Expired]:
    """End lots, each at `at` or else at its term; what is left of it goes to its program."""
    groups: dict[tuple[datetime, str], list[Lot]] = {}
    for lot in lots:
        if lot.remaining:
            instant = at or lot.expires_at or s.at
            groups.setdefault((instant, str(lot.program_id or "")), []).append(lot)
    return [
        _end_of_program(s, account, groups[instant, program], instant)
        for instant, program in sorted(groups)
    ]


def _end_of_program(s: Settling, account: Account, lots: list[Lot], at: datetime) -> Expired:
    book, program_id = s.batch.book, lots[0].program_id
    target = breakage(s, program_id, account.unit)
    amount = book.expire(s.cause(program_id=program_id, at=at), account, lots, target)
    program = s.batch.setup.program_by_id(program_id) if program_id else None
    slug = program.slug if program else ""
    told = Expired(
        member=s.fact.member, occurred_at=at, program=slug, unit=account.unit, amount=amount,
        owner=account.owner if isinstance(account.owner, Owner) else None,
    )  # fmt: skip
    s.touch(account.owner, account.unit)
    s.follow(told)
    return told


def breakage(s: Settling, program_id: UUID | None, unit: str) -> UUID:
    """The account that a program's lots end in."""
    if program_id is None:
        return s.batch.book.tenant_account(unit, BREAKAGE)
    return s.batch.book.program_account(program_id, unit, BREAKAGE)
