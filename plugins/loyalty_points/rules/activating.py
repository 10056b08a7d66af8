"""Points that wait for their activation become usable when it comes."""

from collections.abc import Iterator
from datetime import datetime

from loyalty.effects import AT_ACTIVATION, Effect, Emit, Refuse, Reterm
from loyalty.errors import Code
from loyalty.facts import MemberRef
from loyalty.plugin import BurnWant
from loyalty.view import LotView, View
from loyalty_earning.choices import hint, with_defaults
from loyalty_earning.lifetime import end_of, never
from loyalty_earning.terms import CountedFrom
from loyalty_points.commands import ActivatePoints
from loyalty_points.config import PointsConfig
from loyalty_points.facts import PointsActivated


def waiting_lots(config: PointsConfig, command: ActivatePoints) -> Iterator[BurnWant]:
    for unit in config.lots.units:
        yield BurnWant(unit=unit)


def activate(config: PointsConfig, command: ActivatePoints, view: View) -> Iterator[Effect]:
    """Make what is named usable, and say how much of each unit that was.

    What is usable already stays as it is: asked twice is asked once.
    """
    if command.program != view.program or view.member is None:
        return
    named = {unit: list(_named(command, unit, view)) for unit in config.lots.units}
    if command.lot is not None and not any(named.values()):
        yield Refuse(code=Code.NOT_FOUND, message="there is no such lot", field="lot")
        return
    rules = [rule.id for rule in config.rules]
    if command.rule is not None and command.rule not in rules and not any(named.values()):
        near = hint(command.rule, rules)
        yield Refuse(
            code=Code.NOT_FOUND, message=f"there is no rule {command.rule}{near}", field="rule"
        )
        return
    for unit, lots in named.items():
        waiting = [lot for lot in lots if lot.available_at == AT_ACTIVATION]
        for lot in waiting:
            yield Reterm(
                lot_id=lot.id,
                expires_at=_end(config, unit, lot, command.occurred_at, view),
                available_at=command.occurred_at,
            )
        if waiting:
            amount = view.text(unit, sum(lot.remaining for lot in waiting))
            yield Emit(
                fact=PointsActivated(
                    member=MemberRef(id=view.member.id), occurred_at=command.occurred_at,
                    program=view.program, unit=unit, amount=amount,
                )
            )  # fmt: skip


def _named(command: ActivatePoints, unit: str, view: View) -> Iterator[LotView]:
    for lot in view.lots.get(unit, ()):
        program, _, rule = lot.rule.partition("/")
        mine = program == view.program
        if mine and command.rule in (None, rule) and command.lot in (None, lot.id):
            yield lot


def _end(
    config: PointsConfig, unit: str, lot: LotView, at: datetime, view: View
) -> datetime | None:
    terms = config.lots.terms(unit, lot.rule.partition("/")[2])
    lifetime = terms.lifetime
    if lifetime is None or lifetime.counted_from is CountedFrom.EARNED:
        return lot.expires_at
    if never(terms, at, with_defaults(config.choices, view)):
        return None
    return end_of(lifetime, at, view.zone)
