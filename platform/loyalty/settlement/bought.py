"""What else the member bought around a purchase that comes back, as counters measure it."""

from collections.abc import Sequence
from datetime import datetime

from loyalty.settlement.measuring import granted_view
from loyalty.settlement.need_period import NeedPeriod, NotFirst, Period
from loyalty.settlement.remaining import Back, remaining
from loyalty.settlement.settling import Settling
from loyalty.view import Bought


def bought(s: Settling, since: datetime, before: datetime) -> Sequence[Bought] | None:
    """In the order of recording, the return that is settled taken off.

    :raises NeedPeriod: it was not loaded
    :raises NotFirst: requests of this batch came before, which the database does not know yet
    """
    periods, returns = s.batch.periods, s.returns
    if periods is None or returns is None or s.left is None:
        return None
    period = Period(s.the_member.id, since, before)
    if period not in periods:
        if s.index > 0:
            raise NotFirst
        raise NeedPeriod(period)
    codec, left = s.batch.plugins.codec, s.left[1]
    return [
        Bought(
            at=sale.fact.occurred_at,
            left=left if sale.fact_id == returns.fact_id
            else remaining(codec, sale, Back(sale.returned, sale.taken)),
            settled=[granted_view(row) for row in sale.settled],
        )
        for sale in periods[period]
    ]  # fmt: skip
