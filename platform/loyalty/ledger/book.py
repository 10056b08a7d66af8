"""The book of a batch: stored accounts and lots in memory, moved by the few ledger operations.

Each operation writes posting, lot and use rows and keeps the accounts in step, so that the fact
that comes next in the batch sees it. `mark` and `undo` take a fact's changes back when it is
refused half way. Nothing here knows a program, a database or the time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from loyalty.ids import account_id, new_id
from loyalty.ledger.account import HELD, MAIN, Account
from loyalty.ledger.cause import Cause as Cause
from loyalty.ledger.cause import Terms as Terms
from loyalty.ledger.lots import Lot, choose
from loyalty.ledger.need_lots import NeedLots as NeedLots
from loyalty.ledger.rows import Rows
from loyalty.ledger.undo import UndoLog
from loyalty.owners import Holder, kind_and_id


@dataclass(slots=True, kw_only=True)
class Book(UndoLog):
    tenant_id: UUID
    rows: Rows = field(default_factory=Rows)
    accounts: dict[tuple[Holder, str, str], Account] = field(default_factory=dict)
    lots: dict[UUID, list[Lot]] = field(default_factory=dict)
    complete: set[tuple[Holder, str]] = field(default_factory=set)  # owners' units, all lots loaded
    derived: set[UUID] = field(default_factory=set)  # program accounts known to exist
    opened: set[UUID] = field(default_factory=set)  # and those that exist once this is committed
    _moved: set[UUID] = field(default_factory=set)  # accounts that are not as they were loaded
    _seq: dict[UUID, int] = field(default_factory=dict)
    _retermed: dict[tuple[UUID, UUID], bool] = field(default_factory=dict)  # by fact and lot

    def mark(self) -> tuple[int, tuple[int, ...]]:
        return self.position(), self.rows.sizes()

    def undo(self, mark: tuple[int, tuple[int, ...]]) -> None:
        """Take everything back that happened since `mark`."""
        position, rows = mark
        self.rewind(position)
        self.rows.cut_to(rows)

    # --- accounts -----------------------------------------------------------------------------

    def account(self, owner: Holder, unit: str, kind: str = MAIN) -> Account:
        """A stored account; opened with the first thing that happens to it."""
        key = (owner, unit, kind)
        if (found := self.accounts.get(key)) is None:
            owner_kind, owner_id = kind_and_id(owner)
            ident = account_id(self.tenant_id, owner_kind, owner_id, unit, kind)
            found = Account(ident, owner, unit, kind)
            self.put(self.accounts, key, found)
            self.rows.accounts.append((ident, owner_kind, owner_id, unit, kind, True))
            if kind == MAIN:
                self.complete.add((owner, unit))  # a new account has no lots elsewhere
        return found

    def look(self, owner: Holder, unit: str, kind: str = MAIN) -> Account | None:
        """The account if there is one; looking opens none."""
        return self.accounts.get((owner, unit, kind))

    def open_lots(self, account: Account) -> Sequence[Lot]:
        return self.lots.get(account.id, ())

    def program_account(self, program_id: UUID, unit: str, kind: str) -> UUID:
        return self._derived("PROGRAM", program_id, unit, kind)

    def tenant_account(self, unit: str, kind: str) -> UUID:
        return self._derived("TENANT", self.tenant_id, unit, kind)

    def _derived(self, owner_kind: str, owner: UUID, unit: str, kind: str) -> UUID:
        ident = account_id(self.tenant_id, owner_kind, owner, unit, kind)
        if ident not in self.derived:
            self.rows.accounts.append((ident, owner_kind, owner, unit, kind, False))
        return ident

    # --- the operations -----------------------------------------------------------------------

    def grant(
        self, cause: Cause, account: Account, amount: int, source: UUID, terms: Terms,
        *, kind: str = "GRANT",
    ) -> Lot:  # fmt: skip
        """Give `amount` in a new lot; what the account owes is repaid from it first."""
        account.check_room(amount)
        lot = Lot(
            new_id(), account.id, cause.fact_id, cause.program_id, cause.rule or "", amount,
            cause.at, terms.available_at, terms.settles_at, terms.expires_at,
        )  # fmt: skip
        self.rows.lots.append(
            (
                account.id, lot.id, cause.fact_id, cause.program_id, lot.rule,
                terms.accounting_class, amount, terms.cost, cause.at, terms.available_at,
                terms.settles_at, terms.expires_at,
            )
        )  # fmt: skip
        self.add(self.lots.setdefault(account.id, []), lot)
        self._post(cause, kind, account.unit, amount, source=source, target=account)
        if account.deficit:
            self._repay(cause, account, [lot])
        return lot

    def burn(
        self, cause: Cause, account: Account, amount: int, target: UUID, *, kind: str = "BURN",
        settled: bool = False,
    ) -> list[tuple[Lot, int]]:  # fmt: skip
        """Take `amount` from what is spendable at the cause's instant, in burn order.

        `kind` is what the statement calls it; `settled` leaves out lots that may be returned yet.

        :raises NeedLots: not enough lots are loaded to say
        :returns: nothing (and nothing moved) where the account does not have as much
        """
        if not (chosen := self._spendable(cause, account, amount, settled=settled)):
            return []
        self._use(cause, account, chosen, "BURN")
        self._post(cause, kind, account.unit, amount, source=account, target=target)
        return chosen

    def hold(self, cause: Cause, account: Account, amount: int) -> list[tuple[Lot, int]]:
        """Move `amount` out of its lots to the owner's held account; as `burn` otherwise."""
        if not (chosen := self._spendable(cause, account, amount)):
            return []
        held = self.account(account.owner, account.unit, HELD)
        self._use(cause, account, chosen, "HOLD")
        self._post(cause, "HOLD", account.unit, amount, source=account, target=held)
        return chosen

    def _spendable(
        self, cause: Cause, account: Account, amount: int, *, settled: bool = False
    ) -> list[tuple[Lot, int]]:
        """Lots that pay `amount` at the cause's instant; none where they do not hold as much.

        What was loaded of an incomplete account is the beginning of its burn order, but only as
        long as nothing moved there.
        """
        there = (
            lot
            for lot in self.open_lots(account)
            if lot.available(cause.at) and (not settled or lot.settled(cause.at))
        )
        chosen = choose(there, amount)
        enough = sum(part for _, part in chosen) == amount
        if (account.owner, account.unit) not in self.complete and (
            not enough or account.id in self._moved
        ):
            raise NeedLots(account.owner, account.unit)
        return chosen if enough else []

    def need_all_lots(self, account: Account) -> None:
        """:raises NeedLots: some lots of the account were not loaded"""
        if (account.owner, account.unit) not in self.complete:
            raise NeedLots(account.owner, account.unit)

    def settle_held(self, cause: Cause, held: Account, amount: int, target: UUID) -> None:
        """Capture: held value goes to where a burn goes."""
        self._post(cause, "BURN", held.unit, amount, source=held, target=target)

    def restore(
        self,
        cause: Cause,
        account: Account,
        parts: Iterable[tuple[Lot, int]],
        source: Account | UUID,
        kind: str,
    ) -> int:
        """Put value back into the lots it came from; what the account owes is repaid from it."""
        parts = list(parts)
        amount = sum(part for _, part in parts)
        if amount == 0:
            return 0
        for lot, part in parts:
            self.change(lot, "remaining", lot.remaining + part)
            self.rows.uses.append((account.id, lot.id, cause.fact_id, "RESTORE", -part, cause.at))
        self._post(cause, kind, account.unit, amount, source=source, target=account)
        self._repay(cause, account, [lot for lot, _ in parts])
        return amount

    def take(
        self, cause: Cause, account: Account, amount: int, own: Sequence[Lot], target: UUID,
        *, kind: str = "TAKE_BACK",
    ) -> None:  # fmt: skip
        """Take back `amount`: from `own` lots first, pending or not, then in burn order.

        What is not there becomes the account's deficit. Own lots pay past their term as well;
        others past it were ended before this.

        :raises NeedLots: the own lots are not enough and the others are not loaded
        """
        chosen = choose(own, amount)
        missing = amount - sum(part for _, part in chosen)
        if missing:
            self.need_all_lots(account)
            mine = {lot.id for lot in own}
            others = [lot for lot in self.open_lots(account) if lot.id not in mine]
            now = choose((lot for lot in others if lot.available(cause.at)), missing)
            missing -= sum(part for _, part in now)
            later = choose((lot for lot in others if lot.pending(cause.at)), missing)
            missing -= sum(part for _, part in later)
            chosen += now + later
        if amount:
            self._use(cause, account, chosen, "TAKE_BACK")
            self._post(
                cause, kind, account.unit, amount, source=account, target=target, uncovered=missing
            )

    def expire(self, cause: Cause, account: Account, lots: Sequence[Lot], target: UUID) -> int:
        """Book the end of lots: all that is left of them goes to `target`."""
        chosen = [(lot, lot.remaining) for lot in lots if lot.remaining > 0]
        amount = sum(part for _, part in chosen)
        if amount:
            self._use(cause, account, chosen, "EXPIRE")
            for lot, part in chosen:
                self.change(lot, "ended", lot.ended + part)
            self._post(cause, "EXPIRE", account.unit, amount, source=account, target=target)
        return amount

    def reterm(
        self, cause: Cause, account: Account, lot: Lot, expires_at: datetime | None,
        available_at: datetime | None = None,
    ) -> None:  # fmt: skip
        """Give a lot another end, or beginning (None: as it is).

        That is a version of its account, one per fact and lot.
        """
        before = None if available_at is None else lot.available_at
        self.rows.terms.append(
            (
                lot.account_id, lot.id, cause.fact_id, expires_at, lot.expires_at, cause.at,
                available_at, before,
            )
        )  # fmt: skip
        if available_at is not None:
            self.change(lot, "available_at", available_at)
        if (cause.fact_id, lot.id) not in self._retermed:
            self.put(self._retermed, (cause.fact_id, lot.id), True)
            self.change(account, "terms", account.terms + 1)
        self.change(lot, "expires_at", expires_at)

    def post(self, cause: Cause, unit: str, amount: int, source: UUID, target: UUID) -> None:
        """Between two program accounts."""
        self._post(cause, "POST", unit, amount, source=source, target=target)

    # --- rows ---------------------------------------------------------------------------------

    def _use(
        self, cause: Cause, account: Account, chosen: Iterable[tuple[Lot, int]], kind: str
    ) -> None:
        for lot, part in chosen:
            self.change(lot, "remaining", lot.remaining - part)
            self.rows.uses.append((account.id, lot.id, cause.fact_id, kind, part, cause.at))

    def _repay(self, cause: Cause, account: Account, lots: Sequence[Lot]) -> None:
        if account.deficit == 0:
            return
        chosen = choose(lots, min(account.deficit, sum(lot.remaining for lot in lots)))
        repaid = sum(part for _, part in chosen)
        self._use(cause, account, chosen, "REPAY")
        self.change(account, "balance", account.balance - repaid)
        self.change(account, "deficit", account.deficit - repaid)

    def _post(
        self, cause: Cause, kind: str, unit: str, amount: int,
        *, source: Account | UUID, target: Account | UUID, uncovered: int = 0,
    ) -> None:  # fmt: skip
        seq = self._seq[cause.fact_id] = self._seq.get(cause.fact_id, 0) + 1
        from_id, from_version, from_balance = self._side(source, -amount, uncovered)
        to_id, to_version, to_balance = self._side(target, amount, 0)
        self.rows.postings.append(
            (
                cause.fact_id, seq, unit, from_id, to_id, amount, uncovered, from_version,
                to_version, from_balance, to_balance, kind, cause.program_id, cause.rule,
                cause.label, cause.at,
            )
        )  # fmt: skip

    def _side(
        self, side: Account | UUID, delta: int, uncovered: int
    ) -> tuple[UUID, int | None, int | None]:
        if not isinstance(side, Account):
            return side, None, None
        self._moved.add(side.id)
        self.move(side, delta, uncovered)
        return side.id, side.version, side.balance - side.deficit
