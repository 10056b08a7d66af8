"""Exchanges of which a partner elsewhere never spoke: given up, and what becomes of that later.

The points go back into their lots. They may stand at the partner as well, so they stay in the
clearing account, and what is owed stays owed: the program's account of losses makes up for them,
until the partner says that it credited nothing.
"""

from collections.abc import Iterable

from loyalty.effects import Effect, Post, Refuse, Write
from loyalty.errors import Code
from loyalty.view import View
from loyalty_partners.config import PartnersConfig
from loyalty_partners.facts import SendingWrittenOff, WriteOffEnded
from loyalty_partners.legs import NEED as LEG
from loyalty_partners.legs import Leg, LegReversed, LegState, LegVoided, LegWrittenOff
from loyalty_partners.lines import NEED, Undone
from loyalty_partners.movement import LOSSES, MovementKind, clearing
from loyalty_partners.rules.undoing import fee_back, line, negative, unit_of


def write_off(config: PartnersConfig, fact: SendingWrittenOff, view: View) -> Iterable[Effect]:
    undone: Undone | None = view.needs[NEED]
    leg: Leg | None = view.needs[LEG]
    if undone is None:
        return
    if leg is None or leg.state is not LegState.PENDING:
        yield Refuse(code=Code.NOT_REVERSIBLE, message="the partner has spoken meanwhile")
        return
    movement = undone.movement
    yield from fee_back(movement)
    yield Post(
        unit=unit_of(movement), source=LOSSES, target=clearing(movement.agreement_id),
        amount=movement.points_out,
    )  # fmt: skip
    yield Write(row=LegWrittenOff(id=movement.id))


def end_write_off(config: PartnersConfig, fact: WriteOffEnded, view: View) -> Iterable[Effect]:
    undone: Undone | None = view.needs[NEED]
    leg: Leg | None = view.needs[LEG]
    if undone is None:
        return
    expected = LegState.WRITTEN_OFF if fact.voided else LegState.SETTLED
    if leg is None or not leg.written_off or leg.state is not expected:
        yield Refuse(code=Code.NOT_REVERSIBLE, message="it is not written off, or not any more")
        return
    movement = undone.movement
    yield Post(
        unit=unit_of(movement), source=clearing(movement.agreement_id), target=LOSSES,
        amount=movement.points_out,
    )  # fmt: skip
    kind = MovementKind.VOID if fact.voided else MovementKind.REVERSAL
    yield from line(view, negative(movement), kind)
    if fact.voided:
        yield Write(row=LegVoided(id=movement.id))
    else:
        yield Write(row=LegReversed(id=movement.id, reversal="DONE"))
