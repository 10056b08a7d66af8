"""Corrections: a purchase that was told wrong is told again, under a higher revision.

All that the revision before it had granted is taken back and the basket is judged anew, in one
transaction, at the instant of the purchase itself: by the programs in force then, with the same
luck. It was never bought, so no counter keeps it (see `remaining`).
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from loyalty.days import iso
from loyalty.effects import AccountingClass, TakeBack
from loyalty.errors import Code, Refused
from loyalty.facts import PurchaseRecorded, PurchaseReversed, correction_key, purchase_key
from loyalty.ledger.account import ISSUED, MAIN
from loyalty.ledger.book import Terms
from loyalty.owners import Holder, parsed
from loyalty.settlement.request import Change, Recorded, Request
from loyalty.settlement.reversing import Outdated
from loyalty.settlement.sale import Sale
from loyalty.settlement.settling import Owed, Settling

Settle = Callable[[Any, Request, int], tuple[Recorded, list[Change]]]


def replace_revision(s: Settling, fact: PurchaseRecorded, settle: Settle) -> None:
    """Take back what the newest revision granted; `fact` then stands in its place.

    :raises Refused: there is none, it is another member's, or goods of it came back
    :raises Outdated: another one became the newest before the locks were there
    """
    sale = _replaced(s, fact)
    before = _owed_before(s, sale)
    undoing = PurchaseReversed(
        occurred_at=s.at,
        source=fact.source,
        return_id=f"revision {fact.revision}",
        purchase_external_id=fact.external_id,
        purchase_revision=s.request.replaces,
    )
    undone, changes = settle(
        s.batch,
        Request(
            fact=undoing, actor=s.request.actor, request_id=s.request.request_id, any_time=True,
            while_suspended=s.request.while_suspended, correcting=True,
            key=correction_key(fact.source, fact.external_id, fact.revision),
        ),
        s.index,
    )  # fmt: skip
    _owed_by_others(s, before)
    s.taken += undone.answer.get("takenBack", ())
    s.touched |= {(change.owner, change.unit) for change in changes}
    s.batch.book.change(sale, "replaced_by", fact.revision)
    s.body["replaces"] = str(sale.fact_id)
    s.moved |= {program.slug for program in s.batch.setup.programs}
    s.answer["occurredAt"] = iso(s.at)


def _replaced(s: Settling, fact: PurchaseRecorded) -> Sale:
    newest = purchase_key(fact.source, fact.external_id, s.request.replaces)
    sale = s.batch.sales.get(newest)
    if sale is None and newest in s.batch.known:
        raise Outdated("its first revision came in the meantime")
    if sale is None or sale.member_id != s.the_member.id:
        raise Refused(
            Code.NOT_FOUND,
            "there is no purchase of this member to correct: record it as revision 1",
            field="revision",
        )
    if sale.replaced_by is not None:
        raise Outdated("it was corrected in the meantime")
    if sale.returned:
        raise Refused(
            Code.PURCHASE_CHANGED,
            "goods of it came back: it cannot be corrected any more, return the other goods too"
            " and record what was kept as a purchase of its own",
            field="revision",
        )
    return sale


def _owed_before(s: Settling, sale: Sale) -> Mapping[tuple[Holder, str], int]:
    """What all accounts owe. What those did that the old revision granted to is noted, with what
    their programs say of points that were spent. Until the new one has granted, all is owed."""
    accounts = s.batch.book.accounts
    before = {(of, unit): one.deficit for (of, unit, kind), one in accounts.items() if kind == MAIN}
    for grant in sale.grants:
        if "owner" in grant:
            owner, unit = parsed(grant["owner"]), grant["unit"]
            account = s.batch.book.account(owner, unit)
            owed = s.owed.setdefault((owner, unit), Owed(account.deficit, UUID(grant["programId"])))
            owed.policies.add(TakeBack(grant["back"]))
    return before


def _owed_by_others(s: Settling, before: Mapping[tuple[Holder, str], int]) -> None:
    """The same of what other purchases had, and lost with the old revision (the last fact)."""
    body = s.batch.book.rows.facts[-1][-1] or {}
    for row in body.get("grants", ()):
        if row["wanted"] < 0:
            whose = s.holder(row["unit"]), row["unit"]
            owed = s.owed.setdefault(whose, Owed(before.get(whose, 0), UUID(row["programId"])))
            owed.policies.add(TakeBack(row["back"]))


def settle_owed(s: Settling) -> None:
    """What the new revision's grants did not cover is owed, borne by the program, or refused.

    :raises Refused: the member would owe more than before and a program lets nobody owe it points
    """
    for (owner, unit), owed in s.owed.items():
        account = s.batch.book.account(owner, unit)
        more = account.deficit - owed.before
        if more <= 0 or TakeBack.DEFICIT in owed.policies:
            continue
        if TakeBack.REFUSE in owed.policies:
            raise Refused(
                Code.INSUFFICIENT_BALANCE,
                "the points it takes back are spent, and the program lets nobody owe it points",
                field="lines",
            )
        source = s.batch.book.program_account(owed.program_id, unit, ISSUED)
        cause = s.cause(program_id=owed.program_id, label="spent before the purchase was corrected")
        terms = Terms(accounting_class=AccountingClass.MARKETING, available_at=s.at)
        s.batch.book.grant(cause, account, more, source, terms, kind="ADJUST")
