"""Corrections by hand."""

from datetime import datetime

from loyalty.commands import AdjustBalance
from loyalty.days import Span, SpanEnd, iso, span_end
from loyalty.effects import AccountingClass
from loyalty.errors import Code, Refused
from loyalty.ledger.account import ADJUSTED
from loyalty.ledger.book import Terms
from loyalty.settlement.expiring import end_due
from loyalty.settlement.redeeming import insufficient
from loyalty.settlement.settling import Settling


def adjust(s: Settling, command: AdjustBalance) -> None:
    """Give or take `amount`; taking more than is spendable needs `allow_deficit`.

    It moves the account that the member's unit is kept in, as a grant or a burn would.
    """
    book, owner = s.batch.book, s.holder(command.unit)
    if command.amount == 0:
        raise Refused(Code.BAD_AMOUNT, "must not be nothing", field="amount")
    if command.expires_at is not None and command.expires_at <= s.at:
        raise Refused(Code.BAD_USER_INPUT, "must lie in the future", field="expiresAt")
    _keep_to_what_one_may(s, command)
    account = book.account(owner, command.unit)
    other = book.tenant_account(command.unit, ADJUSTED)
    rule = f"adjustment:{command.reason_code}"
    cause = s.cause(rule=rule, label=command.note or command.reason_code)
    if command.amount > 0:
        ends = _end(s, command)
        terms = Terms(
            accounting_class=AccountingClass.MARKETING, available_at=s.at, expires_at=ends
        )
        book.grant(cause, account, command.amount, other, terms, kind="ADJUST")
        s.earned.append(
            {
                "unit": command.unit, "amount": command.amount, "availableAt": iso(s.at),
                "expiresAt": iso(ends), "label": cause.label, "rule": rule,
            }
        )  # fmt: skip
    elif command.allow_deficit:
        book.need_all_lots(account)
        end_due(s, account)  # or the account would owe beside lots that only wait for a sweep
        book.take(cause, account, -command.amount, [], other, kind="ADJUST")
    elif not book.burn(cause, account, -command.amount, other, kind="ADJUST"):
        raise insufficient(s, command.unit, -command.amount)
    s.touch(owner, command.unit)


def _keep_to_what_one_may(s: Settling, command: AdjustBalance) -> None:
    """Several small corrections of a member are no way around a second person.

    :raises Refused: those of the last day, given and taken apart, come to more than one may do
    """
    if (most := s.request.alone_up_to) is None:
        return
    corrected, gives = s.batch.corrected, command.amount > 0
    before = corrected.get((s.the_member.id, command.unit, gives), 0)
    if (total := before + abs(command.amount)) > most:
        raise Refused(
            Code.SECOND_PERSON_NEEDED,
            "with what was corrected for this member in the last day it needs a second person",
            field="amount",
        )
    s.batch.book.put(corrected, (s.the_member.id, command.unit, gives), total)
    s.body["alone"] = command.amount


def _end(s: Settling, command: AdjustBalance) -> datetime | None:
    """When what is given ends; counted from the correction's own instant, so a replay agrees."""
    if command.expires_at is not None or command.expires_after is None:
        return command.expires_at
    span, zone = Span.parse(command.expires_after), s.batch.setup.zone
    return span_end(s.at, span, zone, SpanEnd(command.expires_end))
