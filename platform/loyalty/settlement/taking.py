"""Taking back: own lots first, then in burn order; what is not there goes by the grant's policy."""

from collections.abc import Sequence
from uuid import UUID

from loyalty.effects import TakeBack
from loyalty.errors import Code, Refused
from loyalty.ledger.account import Account
from loyalty.ledger.book import Cause
from loyalty.ledger.lots import Lot
from loyalty.settlement.settling import Settling


def take_back(
    s: Settling, cause: Cause, account: Account, amount: int, own: Sequence[Lot], target: UUID,
    policy: TakeBack,
) -> int:  # fmt: skip
    """How much was taken: less than `amount` only where the program bears the rest.

    Of a correction all of it is owed, for the new revision may grant it anew. So it is where the
    program refuses: what else the return gives may pay for it (`check_paid`).
    """
    correcting, before = s.request.correcting, account.deficit
    owe = correcting or policy is not TakeBack.CLAMP
    taken = s.batch.book.take(cause, account, amount, own, target, owe=owe)
    if (missing := account.deficit - before) and not correcting:
        whose = account.owner, account.unit
        if policy is TakeBack.REFUSE:
            s.may_owe.setdefault(whose, before)
        elif whose in s.may_owe:
            s.may_owe[whose] += missing
    return taken


def check_paid(s: Settling) -> None:
    """:raises Refused: points are owed that are spent, and their program takes no such return"""
    for (owner, unit), most in s.may_owe.items():
        if s.batch.book.account(owner, unit).deficit > most:
            raise Refused(
                Code.INSUFFICIENT_BALANCE,
                "the points of these goods are spent and the program takes no such return",
                field="lines",
            )
