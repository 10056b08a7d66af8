"""What is kept, within bounds of number and size, so that nobody drives out what others keep."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Kept(Generic[T]):
    thing: T
    owner: Hashable
    size: int


class Cache(Generic[T]):
    """Things by key, each on the account of who brought it.

    Where there is too much, whoever keeps the most (by size) loses what was used least lately.
    """

    def __init__(self, entries: int, size: int) -> None:
        self._entries_max = entries
        self._size_max = size
        self._kept: dict[Hashable, _Kept[T]] = {}
        self._of: dict[Hashable, OrderedDict[Hashable, None]] = {}
        self._sizes: dict[Hashable, int] = {}
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def get(self, key: Hashable) -> T | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        self._of[kept.owner].move_to_end(key)
        return kept.thing

    def put(self, key: Hashable, thing: T, owner: Hashable, size: int) -> None:
        """Keep what is not kept yet."""
        self._kept[key] = _Kept(thing, owner, 0)
        self._of.setdefault(owner, OrderedDict())[key] = None
        self.resize(key, size)

    def replace(self, key: Hashable, thing: T) -> None:
        """Keep another thing in its place, on the same account."""
        self._kept[key].thing = thing

    def resize(self, key: Hashable, size: int) -> None:
        """What is kept has grown; it may be driven out by that."""
        kept = self._kept.get(key)
        if kept is None:
            return
        self._count(kept, size - kept.size)
        kept.size = size
        while len(self._kept) > self._entries_max or self.size > self._size_max:
            self._drop(max(self._sizes, key=lambda owner: self._sizes[owner]))

    def _drop(self, owner: Hashable) -> None:
        key, _ = self._of[owner].popitem(last=False)
        kept = self._kept.pop(key)
        self._count(kept, -kept.size)
        if not self._of[owner]:
            del self._of[owner], self._sizes[owner]

    def _count(self, kept: _Kept[T], more: int) -> None:
        self.size += more
        self._sizes[kept.owner] = self._sizes.get(kept.owner, 0) + more
