"""The book of a back-test: it is told what moves and keeps no balance.

A back-test asks what rules grant and what returns take back of it. What became of it afterwards
(spent, expired) followed from what members really held, and would be made up here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from loyalty.ids import NIL
from loyalty.ledger.account import MAIN, Account
from loyalty.ledger.book import Book, Cause, Terms
from loyalty.ledger.lots import Lot
from loyalty.owners import Holder

_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
_LOT = Lot(NIL, NIL, NIL, None, "", 0, _LONG_AGO, _LONG_AGO)


@dataclass(slots=True, kw_only=True)
class Unledgered(Book):
    """Grants open no lots, returns take back what they ask for, and whoever burns has as much."""

    def account(self, owner: Holder, unit: str, kind: str = MAIN) -> Account:
        return Account(NIL, owner, unit, kind)

    def look(self, owner: Holder, unit: str, kind: str = MAIN) -> Account | None:
        return None

    def program_account(self, program_id: UUID, unit: str, kind: str) -> UUID:
        return NIL

    def tenant_account(self, unit: str, kind: str) -> UUID:
        return NIL

    def grant(
        self, cause: Cause, account: Account, amount: int, source: UUID, terms: Terms,
        *, kind: str = "GRANT",
    ) -> Lot:  # fmt: skip
        return _LOT

    def burn(
        self, cause: Cause, account: Account, amount: int, target: UUID, *, kind: str = "BURN",
        settled: bool = False,
    ) -> list[tuple[Lot, int]]:  # fmt: skip
        return [(_LOT, amount)]

    def hold(self, cause: Cause, account: Account, amount: int) -> list[tuple[Lot, int]]:
        return [(_LOT, amount)]

    def need_all_lots(self, account: Account) -> None:
        return None

    def take(
        self, cause: Cause, account: Account, amount: int, own: Sequence[Lot], target: UUID,
        *, kind: str = "TAKE_BACK",
    ) -> None:  # fmt: skip
        return None

    def expire(self, cause: Cause, account: Account, lots: Sequence[Lot], target: UUID) -> int:
        return 0

    def restore(
        self, cause: Cause, account: Account, parts: Iterable[tuple[Lot, int]],
        source: Account | UUID, kind: str,
    ) -> int:  # fmt: skip
        return sum(part for _, part in parts)

    def settle_held(self, cause: Cause, held: Account, amount: int, target: UUID) -> None:
        return None

    def reterm(
        self, cause: Cause, account: Account, lot: Lot, expires_at: datetime | None,
        available_at: datetime | None = None,
    ) -> None:  # fmt: skip
        return None

    def post(self, cause: Cause, unit: str, amount: int, source: UUID, target: UUID) -> None:
        return None
