"""Both legs of an exchange, each in the words of its side. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from loyalty.facts import MemberRef
from loyalty_partners.facts import PointsGiven, PointsTaken
from loyalty_partners.movement import Movement, MovementKind
from loyalty_partners.quote import Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A member of one brand, its program that minds the agreement, and its unit."""

    member: MemberRef
    program: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """What an exchange is about: its id, under which link and terms, and what it comes to."""

    id: UUID
    agreement_id: UUID
    link_id: UUID
    terms: int
    currency: str
    charge: int
    quote: Quote


def legs(
    deal: Deal, giver: Side, taker: Side, *, now: datetime, day: datetime,
    carried: int | None = None,
) -> tuple[PointsGiven, PointsTaken]:  # fmt: skip
    """What happens at the giver and at the taker. `day` begins the giver's local day."""
    quote = deal.quote

    def line(amount: int, charge: int, unit: str, **points: int | None) -> Movement:
        return Movement(
            id=deal.id, agreement_id=deal.agreement_id, kind=MovementKind.EXCHANGE,
            terms=deal.terms, currency=deal.currency, link_id=deal.link_id, amount=amount,
            charge=charge, unit=unit, **points,  # type: ignore[arg-type]
        )  # fmt: skip

    given = PointsGiven(
        member=giver.member, occurred_at=now, program=giver.program, unit=giver.unit,
        amount=quote.burned + quote.fee, capture=True, day=day,
        movement=line(
            -quote.owed, -deal.charge, giver.unit, points_out=quote.burned, fee=quote.fee,
            partner_points=quote.credited, carried=carried,
        ),
    )  # fmt: skip
    taken = PointsTaken(
        member=taker.member, occurred_at=now, program=taker.program, unit=taker.unit,
        amount=quote.credited, day=now,
        movement=line(
            quote.owed, deal.charge, taker.unit, points_in=quote.credited,
            partner_points=quote.burned,
        ),
    )  # fmt: skip
    return given, taken
