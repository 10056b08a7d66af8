"""Both legs of an exchange with another installation, each decided where it happens."""

from collections.abc import Iterable

from loyalty.effects import Effect, Write
from loyalty.view import View
from loyalty_partners.config import PartnersConfig
from loyalty_partners.facts import PointsReceived, PointsSent
from loyalty_partners.legs import NEED, Leg, LegOpened, LegState
from loyalty_partners.rules import moving


def send(config: PartnersConfig, fact: PointsSent, view: View) -> Iterable[Effect]:
    """The points leave for the clearing account. They come back if the partner credits nothing."""
    if fact.program != view.program:
        return
    yield from moving.give(config, fact, view)
    yield Write(row=_opened(fact, outgoing=True, state=LegState.PENDING))


def receive(config: PartnersConfig, fact: PointsReceived, view: View) -> Iterable[Effect]:
    """Nothing is credited that was called off before, nor into a month that both have stated."""
    if fact.program != view.program:
        return
    leg: Leg | None = view.needs[NEED]
    if leg is not None:
        yield moving.not_available()
        return
    yield from moving.take(config, fact, view)
    yield Write(row=_opened(fact, outgoing=False, state=LegState.CREDITED))


def _opened(fact: PointsSent | PointsReceived, *, outgoing: bool, state: LegState) -> LegOpened:
    movement = fact.movement
    return LegOpened(
        id=movement.id, agreement_id=movement.agreement_id, peer_id=fact.peer_id,
        outgoing=outgoing, state=state,
    )  # fmt: skip
