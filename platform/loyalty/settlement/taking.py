"""Taking back: own lots first, then in burn order; what is not there goes by the grant's policy.

What else a return gives may pay for it, so until it is settled all of it is owed. What is owed
then beyond what was before is refused, or borne: the return is settled once more, and takes so
much less.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from loyalty.effects import TakeBack
from loyalty.errors import Code, Refused
from loyalty.ledger.account import HELD, Account
from loyalty.ledger.book import Cause
from loyalty.ledger.lots import Lot
from loyalty.settlement.settling import Owing, Settling


class Bears(Exception):
    """The program bears so much of what a return takes, by take: it is to be settled with that."""

    def __init__(self, takes: Mapping[str, int]) -> None:
        super().__init__("the program bears what was spent")
        self.takes = takes


def take_back(
    s: Settling, cause: Cause, account: Account, amount: int, own: Sequence[Lot], target: UUID,
    policy: TakeBack, take: str,
) -> None:  # fmt: skip
    """`take` names it within its return. Of a correction all is owed, for the new revision may
    grant it anew."""
    before = account.deficit
    s.batch.book.take(cause, account, amount, own, target)
    missing = account.deficit - before
    if not missing or s.request.correcting:
        return
    whose = account.owner, account.unit
    if (owing := s.owing.get(whose)) is None:
        owing = s.owing[whose] = Owing(before)
    match policy:
        case TakeBack.DEFICIT:
            owing.most += missing
        case TakeBack.REFUSE:
            owing.refused = True
        case TakeBack.CLAMP:
            owing.borne[take] = owing.borne.get(take, 0) + missing


def check_paid(s: Settling) -> None:
    """What is held is not spent: so much may be owed until it is.

    :raises Refused: points are owed that are spent, and their program takes no such return
    :raises Bears: points are owed that are spent, and their program bears it
    """
    bears = dict(s.bears)
    for (owner, unit), owing in s.owing.items():
        held = s.batch.book.look(owner, unit, HELD)
        most = max(owing.most, 0 if held is None else held.balance)
        too_much = s.batch.book.account(owner, unit).deficit - most
        for take, missing in reversed(owing.borne.items()):
            if (part := min(too_much, missing)) > 0:
                bears[take] = bears.get(take, 0) + part
                too_much -= part
        if too_much > 0 and owing.refused:
            raise Refused(
                Code.INSUFFICIENT_BALANCE,
                "the points of these goods are spent and the program takes no such return",
                field="lines",
            )
    if bears != s.bears:
        raise Bears(bears)
