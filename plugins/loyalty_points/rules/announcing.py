"""What ends soon is told, by what is left of it when it is told."""

from collections.abc import Iterator
from datetime import date, timedelta

from loyalty.days import day_start, iso
from loyalty.effects import Emit
from loyalty.facts import MemberRef
from loyalty.plugin import BurnWant
from loyalty.view import View
from loyalty_points.config import PointsConfig
from loyalty_points.facts import ExpiryAnnounced, ExpiryNear


def lots_of(config: PointsConfig, near: ExpiryNear) -> Iterator[BurnWant]:
    yield BurnWant(unit=near.unit)


def announce(config: PointsConfig, near: ExpiryNear, view: View) -> Iterator[Emit]:
    """One fact for all that ends on the day; none where it was spent, or lives on, meanwhile."""
    if near.program != view.program or view.member is None:
        return
    day = date.fromisoformat(near.day)
    begin, end = day_start(day, view.zone), day_start(day + timedelta(days=1), view.zone)
    ending = [
        (lot.expires_at, lot.remaining)
        for lot in view.lots.get(near.unit, ())
        if lot.expires_at is not None and begin <= lot.expires_at < end
    ]
    if not ending:
        return
    yield Emit(
        fact=ExpiryAnnounced(
            member=MemberRef(id=view.member.id),
            occurred_at=near.occurred_at,
            program=view.program,
            unit=near.unit,
            amount=view.text(near.unit, sum(left for _, left in ending)),
            day=near.day,
            expires_at=iso(min(at for at, _ in ending)) or "",
            days_ahead=near.days_ahead,
        )
    )
