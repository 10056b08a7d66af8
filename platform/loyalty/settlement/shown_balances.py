"""A member's balances as a rule is shown them."""

from collections.abc import Iterator, Mapping

from loyalty.ledger.account import HELD, Account
from loyalty.ledger.lots import pending, spendable
from loyalty.settlement.settling import Settling
from loyalty.view import BalanceView


class Balances(Mapping[str, BalanceView]):
    """By unit, as they are when the rule begins to answer; worked out when it first asks.

    What of them can be spent is only worked out for who burns (`exact`): then the lots are there.
    """

    __slots__ = ("_exact", "_found", "_settling")

    def __init__(self, s: Settling, *, exact: bool) -> None:
        self._settling, self._exact = s, exact
        self._found: dict[str, BalanceView] | None = None

    def keep(self) -> dict[str, BalanceView]:
        """Whatever moves from here on is not shown any more."""
        if (found := self._found) is None:
            found = self._found = dict(self._worked_out())
        return found

    def __getitem__(self, unit: str) -> BalanceView:
        return self.keep()[unit]

    def __iter__(self) -> Iterator[str]:
        return iter(self.keep())

    def __len__(self) -> int:
        return len(self.keep())

    def _worked_out(self) -> Iterator[tuple[str, BalanceView]]:
        s, book = self._settling, self._settling.batch.book
        for main in accounts_of(s):
            held = book.look(main.owner, main.unit, HELD)
            lots = book.open_lots(main) if self._exact else ()
            yield (
                main.unit,
                BalanceView(
                    total=main.balance,
                    available=spendable(lots, s.at),
                    pending=pending(lots, s.at),
                    held=held.balance if held else 0,
                    deficit=main.deficit,
                ),
            )


def accounts_of(s: Settling) -> Iterator[Account]:
    """Where the member's units are kept, as far as there is anything."""
    if s.member is None:
        return
    for unit in s.batch.setup.units:
        if (account := s.batch.book.look(s.holder(unit), unit)) is not None:
            yield account
