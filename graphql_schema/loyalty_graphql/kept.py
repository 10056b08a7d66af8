"""What is kept for the next time, within a bound, so that no tenant drives out what others keep."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

KEPT_MAX = 512
T = TypeVar("T")


class Kept(Generic[T]):
    """Things by their text, each on the account of the tenant that brought it.

    Where there are too many, whoever has brought the most loses the one that was used least
    lately: a flood of documents drives out documents of the flood.
    """

    def __init__(self, most: int = KEPT_MAX) -> None:
        self._most = most
        self._owners: dict[str, Hashable] = {}
        self._kept: dict[Hashable, OrderedDict[str, T]] = {}

    def __len__(self) -> int:
        return len(self._owners)

    def get(self, text: str) -> T | None:
        if text not in self._owners:
            return None
        own = self._kept[self._owners[text]]
        own.move_to_end(text)
        return own[text]

    def put(self, text: str, thing: T, owner: Hashable) -> None:
        """Keep what is not kept yet."""
        self._owners[text] = owner
        self._kept.setdefault(owner, OrderedDict())[text] = thing
        if len(self._owners) > self._most:
            self._drop(max(self._kept, key=lambda each: len(self._kept[each])))

    def _drop(self, owner: Hashable) -> None:
        text, _ = self._kept[owner].popitem(last=False)
        del self._owners[text]
        if not self._kept[owner]:
            del self._kept[owner]
