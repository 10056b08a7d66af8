"""Facts that the points program itself makes."""

from dataclasses import dataclass
from typing import ClassVar

from loyalty.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOver(Fact):
    """A new period began for a cap that carries over: what it cut before is given now.

    `target` is what the cap is on: `rule.<id>`, `group.<id>` or `program`.
    """

    KIND: ClassVar[str] = "points.carried_over/1"
    program: str
    target: str
