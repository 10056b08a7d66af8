"""Payouts: money leaves a member's balance, and comes back where it could not be paid."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from loyalty.effects import Burn, Effect, Emit, Refuse, Reinstate, Restore, Write
from loyalty.errors import Code
from loyalty.facts import MemberRef
from loyalty.plugin import BurnWant
from loyalty.view import View
from loyalty_cashback.commands import RecordPayout, RequestPayout
from loyalty_cashback.config import CashbackConfig
from loyalty_cashback.facts import (
    PayoutDue,
    PayoutFailed,
    PayoutPaid,
    PayoutRequested,
    PayoutReturned,
)
from loyalty_cashback.payout import (
    Payout,
    PayoutChange,
    PayoutRow,
    State,
    Way,
    as_written,
)
from loyalty_cashback.payouts import OnRequest

NEED = "payout"
PAID_OUT = "paid_out"  # the program's account that payouts go to
TOLD = {
    State.PAID: PayoutPaid,
    State.FAILED: PayoutFailed,
    State.RETURNED: PayoutReturned,
}


def due_lots(config: CashbackConfig, due: PayoutDue) -> Iterator[BurnWant]:
    yield BurnWant(unit=due.unit)


def asked_lots(config: CashbackConfig, command: RequestPayout) -> Iterator[BurnWant]:
    """All of them, for a refusal says what is there."""
    if command.unit in config.money:
        yield BurnWant(unit=command.unit)


def given_back(config: CashbackConfig, command: RecordPayout) -> Iterator[UUID]:
    yield command.redemption


def pay_statement(config: CashbackConfig, due: PayoutDue, view: View) -> Iterator[Effect]:
    """Pay out all that is available as the day begins, if it is enough; else it stays. It also
    stays with who is frozen: nobody knows yet whose it is."""
    statement = config.payout.statement
    if due.program != view.program or statement is None or due.unit not in config.money:
        return
    if view.member is None or view.member.status == "FROZEN":
        return
    amount = view.balance(due.unit).available
    if amount < statement.least(config.money[due.unit], view.places(due.unit)):
        return
    payout = Payout(
        id=due.payout, way=Way.STATEMENT, unit=due.unit, currency=config.money[due.unit],
        amount=amount, state=State.REQUESTED, requested_at=due.occurred_at, day=due.day,
    )  # fmt: skip
    yield from _paid_out(config, payout, view, due.occurred_at)


def pay_asked(config: CashbackConfig, command: RequestPayout, view: View) -> Iterator[Effect]:
    """Pay out what is asked for, or say why not."""
    if command.program != view.program:
        return
    terms = config.payout.on_request
    if terms is None or (command.by_member and not terms.members):
        yield _bad("program", "this program pays nothing out on request (payout.on_request)")
        return
    if command.unit not in config.money:
        yield _bad("unit", f"this program pays out {' or '.join(config.units)}")
        return
    if as_written(view.needs[NEED], command.payout, view.written) is not None:
        yield Refuse(
            code=Code.IDEMPOTENCY_MISMATCH,
            message="a payout was asked for under this key before: make a new key for each",
            field="idempotencyKey",
        )
        return
    available = view.balance(command.unit).available
    amount = available if command.amount is None else command.amount
    if (refusal := _too_little(terms, config, command, amount, view)) is not None:
        yield refusal
        return
    payout = Payout(
        id=command.payout, way=Way.REQUEST, unit=command.unit,
        currency=config.money[command.unit], amount=amount, state=State.REQUESTED,
        requested_at=command.occurred_at, destination=command.destination,
    )  # fmt: skip
    yield from _paid_out(config, payout, view, command.occurred_at)


def record(config: CashbackConfig, command: RecordPayout, view: View) -> Iterator[Effect]:
    """Let a payout be what it became. What is known already, or is older news, changes nothing."""
    if command.program != view.program or view.member is None:
        return
    payout = as_written(view.needs[NEED], command.payout, view.written)
    if payout is None or payout.redemption_id not in (None, command.redemption):
        yield Refuse(code=Code.NOT_FOUND, message="there is no such payout", field="payout")
        return
    if not command.state.follows(payout.state):
        return
    if command.state.gives_back:
        yield Restore(redemption_id=command.redemption, label="Payout came back")
    yield Write(
        row=PayoutChange(
            id=payout.id, state=command.state, at=command.occurred_at,
            reference=command.reference, reason=command.reason,
        )
    )  # fmt: skip
    yield Emit(
        fact=TOLD[command.state](
            member=MemberRef(id=view.member.id), occurred_at=command.occurred_at,
            program=view.program, payout=payout.public_id, unit=payout.unit,
            currency=payout.currency, amount=view.text(payout.unit, payout.amount),
            reference=command.reference, reason=command.reason,
        )
    )  # fmt: skip


def _paid_out(config: CashbackConfig, payout: Payout, view: View, at: datetime) -> Iterator[Effect]:
    """The burn, the row and the fact: all of them, or none."""
    assert view.member is not None, "who is paid is a member"
    reversible = Reinstate(allowed=False, grace=config.payout.grace)
    yield Burn(
        unit=payout.unit, amount=payout.amount, to=PAID_OUT, reversible=reversible,
        undoable=True, label="Payout",
    )  # fmt: skip
    yield Write(row=PayoutRow(payout=payout))
    yield Emit(
        fact=PayoutRequested(
            member=MemberRef(id=view.member.id), occurred_at=at, program=view.program,
            payout=payout.public_id, way=payout.way.value, unit=payout.unit,
            currency=payout.currency, amount=view.text(payout.unit, payout.amount),
            destination=payout.destination, day=payout.day,
        )
    )  # fmt: skip


def _too_little(
    terms: OnRequest, config: CashbackConfig, command: RequestPayout, amount: int, view: View
) -> Refuse | None:
    if command.amount is not None and command.amount <= 0:
        return Refuse(code=Code.BAD_AMOUNT, message="must be more than 0", field="amount")
    least = terms.least(config.money[command.unit], view.places(command.unit))
    if amount >= least:
        return None
    available = view.balance(command.unit).available
    return Refuse(
        code=Code.BAD_AMOUNT if command.amount is not None else Code.INSUFFICIENT_BALANCE,
        message=f"at least {view.text(command.unit, least)} is paid out at once",
        field="amount",
        details={
            "minimum": view.text(command.unit, least),
            "available": view.text(command.unit, available),
        },
    )


def _bad(field: str, message: str) -> Refuse:
    return Refuse(code=Code.BAD_USER_INPUT, message=message, field=field)
