"""Taking a fact's changes back: what is changed in memory through an undo log can be undone."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Final

from loyalty.ledger.account import Account

ADDED: Final = "+added"  # these stand beside names of attributes
PUT: Final = "+put"
MOVED: Final = "+moved"
NOTHING: Final = object()


@dataclass(slots=True)
class UndoLog:
    """Changes in the order in which they were made; `rewind` takes the newest ones back."""

    _log: list[tuple[Any, Any, Any]] = field(default_factory=list)

    def position(self) -> int:
        return len(self._log)

    def rewind(self, position: int) -> None:
        """Take back all that was changed since `position`, the newest change first."""
        while len(self._log) > position:
            target, what, old = self._log.pop()
            if what is ADDED:
                target.pop()
            elif what is MOVED:
                target.balance, target.deficit, target.version = old
            elif isinstance(what, tuple):
                _, key = what
                if old is NOTHING:
                    del target[key]
                else:
                    target[key] = old
            else:
                setattr(target, what, old)

    def stands(self) -> None:
        """What was changed so far is not taken back any more."""
        self._log.clear()

    def change(self, target: Any, name: str, value: Any) -> None:
        """Set an attribute."""
        self._log.append((target, name, getattr(target, name)))
        setattr(target, name, value)

    def move(self, account: Account, delta: int, uncovered: int) -> None:
        """A posting: every grant has some, and three changes would be three entries."""
        balance, deficit, version = account.balance, account.deficit, account.version
        self._log.append((account, MOVED, (balance, deficit, version)))
        account.balance = balance + delta + uncovered
        account.deficit = deficit + uncovered
        account.version = version + 1

    def put(self, mapping: dict[Any, Any], key: Hashable, value: Any) -> None:
        """Enter or replace a key's value."""
        self._log.append((mapping, (PUT, key), mapping.get(key, NOTHING)))
        mapping[key] = value

    def add(self, items: list[Any], item: Any) -> None:
        """Append an item. Nothing else may take items out of the list."""
        self._log.append((items, ADDED, None))
        items.append(item)
