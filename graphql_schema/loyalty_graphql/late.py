"""What came to be known of a balance after its instant."""

from datetime import datetime

import strawberry

from loyalty.ledger.late import LateItem as View
from loyalty.ledger.late import LateItems as Views
from loyalty.units import Unit, format_minor
from loyalty_graphql.access import reached
from loyalty_graphql.scalars import Decimal

LATE_MAX = 500


@strawberry.type
@reached
class LateItem:
    """Something that happened by an instant and was recorded after it was looked at."""

    kind: str
    """As in a statement. EXPIRE: as much more (or, above nothing, less) had ended by then than was
    known."""
    amount: Decimal
    """What came in; negative for what went out."""
    label: str | None
    """What members read beside it."""
    rule: str | None
    """The rule behind it, as `<program>/<rule>`."""
    occurred_at: datetime
    """When it happened."""
    recorded_at: datetime | None
    """When it was written down; null for ends, which count whether or not they are booked."""


@strawberry.type
@reached
class LateItems:
    """Why a balance as of then is another one now."""

    amount: Decimal
    """What all of them come to: the balance as of then, known now, less the one known then
    (available and pending, less what is owed)."""
    count: int
    """How many there are."""
    items: list[LateItem]
    """The first 500 in the order in which they were recorded."""


def shown_late(views: Views, unit: Unit) -> LateItems:
    return LateItems(
        amount=Decimal(format_minor(views.amount, unit.places)),
        count=views.count,
        items=[_item(view, unit) for view in views.items],
    )


def _item(view: View, unit: Unit) -> LateItem:
    return LateItem(
        kind=view.kind,
        amount=Decimal(format_minor(view.amount, unit.places)),
        label=view.label,
        rule=view.rule,
        occurred_at=view.occurred_at,
        recorded_at=view.recorded_at,
    )
