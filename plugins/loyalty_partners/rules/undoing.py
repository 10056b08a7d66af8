"""Movements that are taken back: the lots are the kernel's; here are clearing account and line."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

from loyalty.effects import Effect, Post, Refuse, Write
from loyalty.errors import Code
from loyalty.facts import FactReversed
from loyalty.ledger.account import ISSUED
from loyalty.units import Rounding, rounded
from loyalty.view import View
from loyalty_partners.config import PartnersConfig
from loyalty_partners.facts import ChargeUndone, GivingUndone, SendingVoided
from loyalty_partners.legs import NEED as LEG
from loyalty_partners.legs import Leg, LegReversed, LegState, LegVoided
from loyalty_partners.lines import NEED, Undone
from loyalty_partners.movement import FEES, Movement, MovementKind, clearing, reversal_id


def undo_giving(config: PartnersConfig, fact: GivingUndone, view: View) -> Iterable[Effect]:
    """What left is back in its lots, and its line is taken back."""
    undone: Undone | None = view.needs[NEED]
    if undone is None:
        return
    movement = undone.movement
    yield from fee_back(movement)
    yield from line(view, negative(movement))
    if undone.remote:
        yield Write(row=LegReversed(id=movement.id, reversal="DONE"))


def void_sending(config: PartnersConfig, fact: SendingVoided, view: View) -> Iterable[Effect]:
    """The same of an exchange that never came to be: its line is taken out as if it were not."""
    undone: Undone | None = view.needs[NEED]
    leg: Leg | None = view.needs[LEG]
    if undone is None:
        return
    if leg is None or leg.state is not LegState.PENDING:
        yield Refuse(code=Code.NOT_REVERSIBLE, message="the partner has credited it")
        return
    movement = undone.movement
    yield from fee_back(movement)
    yield from line(view, negative(movement), MovementKind.VOID)
    yield Write(row=LegVoided(id=movement.id))


def undo_charge(config: PartnersConfig, fact: ChargeUndone, view: View) -> Iterable[Effect]:
    undone: Undone | None = view.needs[NEED]
    if undone is not None:
        yield from line(view, negative(undone.movement))


def undo_taking(config: PartnersConfig, fact: FactReversed, view: View) -> Iterable[Effect]:
    undone: Undone | None = view.needs[NEED]
    if undone is not None and undone.movement.kind is not MovementKind.ISSUE:
        yield from taken_back(fact, view, undone)
        if undone.remote:
            yield Write(row=LegReversed(id=undone.movement.id, reversal="TAKEN"))


def taken_back(
    fact: FactReversed, view: View, undone: Undone, base: int | None = None
) -> Iterator[Effect]:
    """Of a part (n/d of the whole, in all) the money follows the points, both rounded half up."""
    movement, part = undone.movement, Fraction(fact.part)
    points = undone.points_in_left - _left(movement.points_in, part)
    amount = undone.amount_left - _left(movement.amount, part)
    if points > 0:
        yield Post(
            unit=unit_of(movement), source=ISSUED, target=clearing(movement.agreement_id),
            amount=points,
        )  # fmt: skip
    whole = part == 1
    yield from line(
        view,
        replace(
            movement,
            points_in=-points,
            amount=-amount,
            charge=-movement.charge if whole else 0,
            partner_points=-movement.partner_points if whole else 0,
            carried=None,
            base=base,
        ),
    )


def _left(whole: int, part: Fraction) -> int:
    """What stays of it; a negative amount is rounded as its mirror image."""
    taken = rounded(abs(whole) * part, Rounding.HALF_UP)
    return whole - (taken if whole >= 0 else -taken)


def fee_back(movement: Movement) -> Iterator[Effect]:
    """A redemption that is undone takes all of it out of the clearing account, its fee too."""
    if movement.fee:
        yield Post(
            unit=unit_of(movement), source=FEES, target=clearing(movement.agreement_id),
            amount=movement.fee,
        )  # fmt: skip


def negative(movement: Movement) -> Movement:
    return replace(
        movement,
        points_out=-movement.points_out,
        points_in=-movement.points_in,
        fee=-movement.fee,
        partner_points=-movement.partner_points,
        amount=-movement.amount,
        charge=-movement.charge,
        carried=None if movement.carried is None else -movement.carried,
    )


def line(
    view: View, movement: Movement, kind: MovementKind = MovementKind.REVERSAL
) -> Iterator[Effect]:
    assert view.key is not None, "a reversal is known by what it reverses"
    yield Write(
        row=replace(
            movement,
            id=reversal_id(view.key),
            of_id=movement.id,
            kind=kind,
            ref=None,
        )
    )


def unit_of(movement: Movement) -> str:
    assert movement.unit is not None, "points moved"
    return movement.unit
