"""Where the names of conditions are read from: a fact at its instant, and the view."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from loyalty.view import View


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`fact` is of the type that the vocabulary is about; None where it is about no fact."""

    at: datetime
    view: View
    fact: Any = None

    @cached_property
    def local(self) -> datetime:
        """The instant on the tenant's clock."""
        return self.at.astimezone(self.view.zone)
