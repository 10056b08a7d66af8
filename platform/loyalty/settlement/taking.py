"""Taking back: own lots first, then in burn order; what is not there goes by the grant's policy.

What else a return gives may pay for it, so until it is settled all of it is owed. What it then has
given of the same rule covers what its shares missed of their own lots: neither is moved, or points
of others would go, and others come. What is owed beyond what was before is refused, or borne. With
either the return is settled once more.
"""

from collections.abc import Sequence
from uuid import UUID

from loyalty.effects import TakeBack
from loyalty.errors import Code, Refused
from loyalty.ledger.account import HELD, Account
from loyalty.ledger.book import Cause
from loyalty.ledger.lots import Lot
from loyalty.settlement.settling import Found, Owing, Settling


class Again(Exception):
    """A return is to be settled once more, with what was found."""

    def __init__(self, found: Found) -> None:
        super().__init__("what it gives covers what it takes, or the program bears it")
        self.found = found


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


def check(s: Settling) -> None:
    """What is held is not spent: what the program would bear may be owed up to that.

    :raises Refused: points are owed that are spent, and their program takes no such return
    :raises Again: what it gives covers what it takes, or points are owed and their program bears it
    """
    nets = {}
    for key, net in s.nets.items():
        covered = min(net.missed, net.gave)
        late = min(net.missed - covered, net.ended.get(s.returned_at, 0) + net.late)
        if covered or late:
            nets[key] = covered, late
    if nets != s.found.nets:
        raise Again(Found(nets=nets))
    bears = dict(s.found.bears)
    for (owner, unit), owing in s.owing.items():
        most, held = owing.most, s.batch.book.look(owner, unit, HELD)
        if held is not None and not owing.refused:
            most = max(most, held.balance)
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
    if bears != s.found.bears:
        raise Again(Found(bears, nets))
