"""Money at the checkout: what a redemption may ask for, and what carries it out."""

from collections.abc import Iterator

from loyalty.commands import Redeem
from loyalty.effects import Effect, Refuse
from loyalty.errors import Code
from loyalty.plugin import BurnWant
from loyalty.view import View
from loyalty_cashback.config import CashbackConfig
from loyalty_earning.rules.spending import (
    amount_declined,
    bad_amount,
    held_until,
    hold_declined,
    taken,
)


def wanted_lots(config: CashbackConfig, command: Redeem) -> Iterator[BurnWant]:
    """The lots a redemption may take from; whether they suffice is for the kernel to say."""
    if command.unit in config.money:
        yield BurnWant(unit=command.unit, amount=command.amount)


def redeem(config: CashbackConfig, command: Redeem, view: View) -> Iterator[Effect]:
    """Reserve or take what is asked of this program, or say why not."""
    if command.program != view.program:
        return
    if (refusal := _declined(config, command, view)) is not None:
        yield refusal
        return
    terms = config.payout.checkout
    assert terms is not None, "it is declined where money is not taken at the checkout"
    yield taken(terms, command, command.amount, held_until(terms, command))


def _declined(config: CashbackConfig, command: Redeem, view: View) -> Refuse | None:
    terms = config.payout.checkout
    if terms is None:
        return _bad("program", "this program pays nothing at the checkout (payout.checkout)")
    if command.unit not in config.money:
        return _bad("unit", f"this program is spent in {' or '.join(config.units)}")
    if command.reward is not None:
        return _bad("reward", "a cashback program has no rewards: give an amount")
    if (refusal := hold_declined(command)) is not None:
        return refusal
    if command.amount <= 0:
        return bad_amount("must be more than 0")
    return amount_declined(terms, command.amount, view.places(command.unit))


def _bad(field: str, message: str) -> Refuse:
    return Refuse(code=Code.BAD_USER_INPUT, message=message, field=field)
