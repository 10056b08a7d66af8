"""Points that live on: with what a member does, and while a condition on the member holds."""

from collections.abc import Iterator
from datetime import datetime

from loyalty.commands import Redeem
from loyalty.effects import AT_ACTIVATION, Reterm
from loyalty.facts import ActivityRecorded, Fact, PurchaseRecorded
from loyalty.plugin import BurnWant
from loyalty.view import LotView, View
from loyalty_earning.choices import with_defaults
from loyalty_earning.config import EarningConfig
from loyalty_earning.lifetime import end_of, never
from loyalty_earning.terms import ExtendedBy, Lifetime


def by_purchases(config: EarningConfig) -> bool:
    return by_standing(config) or any(one.purchases for one in _extensions(config))


def by_redemptions(config: EarningConfig) -> bool:
    return by_standing(config) or any(one.redemptions for one in _extensions(config))


def by_activities(config: EarningConfig) -> bool:
    return by_standing(config) or any(one.activities for one in _extensions(config))


def by_standing(config: EarningConfig) -> bool:
    """Whether a condition on the member keeps any points from ending."""
    return any(lifetime.never_while is not None for lifetime in config.lots.lifetimes())


def all_lots(config: EarningConfig, fact: Fact) -> Iterator[BurnWant]:
    for unit in config.lots.units:
        yield BurnWant(unit=unit)


def last(config: EarningConfig, fact: Fact, view: View) -> Iterator[Reterm]:
    """Give the program's open lots the end that they have after this fact.

    What the fact itself grants is no lot yet: its terms know the fact already.
    """
    held: dict[int, bool] = {}
    view = with_defaults(config.choices, view)
    for unit in config.lots.units:
        for lot in view.lots.get(unit, ()):
            program, _, rule = lot.rule.partition("/")
            of = config.lots.terms(unit, rule)
            if program != view.program or of.lifetime is None:
                continue
            if id(of) not in held:
                held[id(of)] = never(of, fact.occurred_at, view)
            end = None if held[id(of)] else _end(of.lifetime, lot, fact, view)
            if end != lot.expires_at:
                yield Reterm(lot_id=lot.id, expires_at=end)


def _end(lifetime: Lifetime, lot: LotView, fact: Fact, view: View) -> datetime | None:
    """When a lot ends that no condition keeps alive."""
    end, at = lot.expires_at, fact.occurred_at
    if end is None:
        if lifetime.never_while is None or lot.available_at == AT_ACTIVATION:
            return None
        end = end_of(lifetime, max(at, lot.occurred_at), view.zone)  # it ceased to hold: from now
    by = lifetime.extended_by
    if end > at and by is not None and _counts(by, fact):
        end = max(end, end_of(by.lifetime or lifetime, at, view.zone))
    return end


def _counts(by: ExtendedBy, fact: Fact) -> bool:
    match fact:
        case PurchaseRecorded():
            return by.purchases
        case Redeem():
            return by.redemptions
        case ActivityRecorded():
            return fact.type in by.activities
        case _:
            return False


def _extensions(config: EarningConfig) -> Iterator[ExtendedBy]:
    for lifetime in config.lots.lifetimes():
        if lifetime.extended_by is not None:
            yield lifetime.extended_by
