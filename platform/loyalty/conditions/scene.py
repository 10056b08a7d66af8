"""Where the names of conditions are read from: a fact at its instant, and the view."""

from datetime import datetime
from typing import Any

from loyalty.view import View


class Scene:
    """`fact` is of the type that the vocabulary is about; None where it is about no fact."""

    __slots__ = ("_local", "at", "fact", "view")

    def __init__(self, at: datetime, view: View, fact: Any = None) -> None:
        self.at, self.view, self.fact = at, view, fact
        self._local: datetime | None = None

    @property
    def local(self) -> datetime:
        """The instant on the tenant's clock."""
        if self._local is None:
            self._local = self.at.astimezone(self.view.zone)
        return self._local
