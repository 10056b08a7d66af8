"""What else the member bought around a purchase that comes back, as counters measure it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from loyalty.facts import PurchaseRecorded
from loyalty.settlement.expiring import end_due
from loyalty.settlement.measuring import as_recorded, given_at, granted_view
from loyalty.settlement.need_period import NeedPeriod, NotFirst, Period
from loyalty.settlement.remaining import Back, borne, remaining
from loyalty.settlement.sale import Sale, added
from loyalty.settlement.settling import Settling
from loyalty.view import Bought


def bought(s: Settling, since: datetime, before: datetime) -> Sequence[Bought] | None:
    """In the order of recording, the return that is settled taken off.

    :raises NeedPeriod: it was not loaded
    :raises NotFirst: the member bought in this batch what the database does not know yet
    """
    periods, returns = s.batch.periods, s.returns
    if periods is None or returns is None or s.left is None:
        return None
    period = Period(s.the_member.id, since, before)
    if s.index > 0 and _bought_before(s):
        raise NotFirst
    if period not in periods:
        raise NeedPeriod(period)
    _end_due(s, returns)
    # Of what came back in this batch before, the batch knows.
    known = {sale.fact_id: sale for sale in s.batch.sales.values()}
    sales = [known.get(sale.fact_id, sale) for sale in periods[period]]
    ends = _ends(s, periods[period])
    codec, left = s.batch.plugins.codec, s.left[1]
    found = []
    for sale in sales:
        recorded = as_recorded(codec, sale.fact, sale.emitted, sale.grants)
        if sale.fact_id == returns.fact_id:
            kept = left
        elif sale.returned:
            kept = remaining(codec, sale, Back.of(sale))
        else:
            kept = recorded
        at = sale.fact.occurred_at
        settled = [(given_at(row) or at, granted_view(row)) for row in sale.settled]
        ended = _ended(s, sale, ends)
        bore = () if kept else borne(codec, sale, Back(sale.returned, sale.taken, _bore(s, sale)))
        found.append(
            Bought(at=at, recorded=recorded, left=kept, settled=settled, ended=ended, bore=bore)
        )
    return found


def _end_due(s: Settling, sale: Sale) -> None:
    """It makes no difference to what has ended whether a sweep ran."""
    for unit in sorted({row["unit"] for row in sale.grants}):
        if (account := s.batch.book.look(s.holder(unit), unit)) is not None:
            s.batch.book.need_all_lots(account)
            end_due(s, account)


def _bore(s: Settling, sale: Sale) -> Mapping[int, int]:
    now = s.returns is not None and sale.fact_id == s.returns.fact_id
    return added(sale.borne, s.body.get("borne", ())) if now else sale.borne


def _ends(s: Settling, sales: Sequence[Sale]) -> Mapping[str | None, int]:
    """By lot, what its end took; of those that end in this batch the ledger of the batch knows."""
    found: dict[str | None, int] = {
        lot: ended for sale in sales for lot, ended in sale.ends.items()
    }
    for lots in s.batch.book.lots.values():
        for lot in lots:
            if lot.ended:
                found[str(lot.id)] = max(lot.ended, found.get(str(lot.id), 0))
    return found


def _ended(
    s: Settling, sale: Sale, ends: Mapping[str | None, int]
) -> Mapping[tuple[str, str, str, datetime], int]:
    """What ended of lots, less what returns took of it: the program has it."""
    found = Counter[tuple[str, str, str, datetime]]()
    taken: Mapping[int, int] = sale.ended
    if s.returns is not None and sale.fact_id == s.returns.fact_id:
        taken = added(taken, s.body.get("ended", ()))
    for index, row in enumerate(sale.grants):
        key = row["program"], row["rule"], row["unit"], sale.fact.occurred_at
        found[key] += ends.get(row.get("lot"), 0) - taken.get(index, 0)
    for more in sale.settled:
        at = given_at(more) or sale.fact.occurred_at
        key = more["program"], more["rule"], more["unit"], at
        found[key] += ends.get(more.get("lot"), 0) - more.get("ended", 0)
    return found


def _bought_before(s: Settling) -> bool:
    """Whether an earlier request of the batch recorded a purchase of the member's."""
    known, member_id = s.batch.known, s.the_member.id
    return any(
        (one := known.get(key)) is not None
        and one.kind == PurchaseRecorded.KIND
        and one.member_id == member_id
        for key in s.batch.made
    )
