"""What members hold, by the simplest rules that say so: no sweeps, no rows, no database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from loyalty.view import BalanceView


@dataclass
class ModelLot:
    """`dead` is what reached its end before the lot got another one."""

    born: int
    remaining: int
    available: datetime
    expires: datetime
    dead: int = 0

    @property
    def order(self) -> tuple[datetime, int]:
        return self.expires, self.born


Parts = list[tuple[ModelLot, int]]


@dataclass
class ModelAccount:
    """Knows no sweeps: a lot past its end holds nothing that counts."""

    lots: list[ModelLot] = field(default_factory=list)
    held: int = 0
    deficit: int = 0

    def view(self, now: datetime) -> BalanceView:
        live = [lot for lot in self.lots if lot.expires > now]
        ready = sum(lot.remaining for lot in live if lot.available <= now)
        total = sum(lot.remaining for lot in live)
        return BalanceView(
            total=total, available=ready, pending=total - ready, held=self.held,
            deficit=self.deficit,
        )  # fmt: skip

    def grant(self, amount: int, available: datetime, expires: datetime) -> ModelLot:
        lot = ModelLot(len(self.lots), amount, available, expires)
        self.lots.append(lot)
        self.deficit -= sum(part for _, part in self._take(self.deficit, [lot]))
        return lot

    def spend(self, amount: int, now: datetime) -> Parts | None:
        if not 0 < amount <= self.view(now).available:
            return None
        return self._take(amount, [x for x in self.lots if x.available <= now < x.expires])

    def put_back(self, parts: Parts) -> None:
        for lot, part in sorted(parts, key=lambda pair: pair[0].order):
            repaid = min(self.deficit, part)  # by what came back, not by what expired there
            self.deficit -= repaid
            lot.remaining += part - repaid

    def take_back(self, amount: int, own: ModelLot | None, now: datetime, *, owe: bool) -> None:
        if own is not None:
            amount -= sum(part for _, part in self._take(amount, [own]))
            gone = min(amount, own.dead)
            own.dead -= gone
            amount -= gone
        live = [lot for lot in self.lots if lot.expires > now and lot is not own]
        amount -= sum(n for _, n in self._take(amount, [x for x in live if x.available <= now]))
        amount -= sum(n for _, n in self._take(amount, [x for x in live if x.available > now]))
        self.deficit += amount if owe else 0

    def _take(self, amount: int, lots: Sequence[ModelLot]) -> Parts:
        taken: Parts = []
        for lot in sorted(lots, key=lambda lot: lot.order):
            part = min(amount, lot.remaining)
            if part:
                lot.remaining -= part
                amount -= part
                taken.append((lot, part))
        return taken
