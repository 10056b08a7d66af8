"""What happens in programs that let members earn. A plugin publishes each under a name of its own,
as a subclass with a `KIND`."""

from dataclasses import dataclass

from loyalty.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOver(Fact):
    """A new period began for a cap that carries over: what it cut before is given now.

    `target` is what the cap is on: `rule.<id>`, `group.<id>` or `program`.
    """

    program: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceChanged(Fact):
    """A member picked other options than they had picked before. The first pick is no change."""

    program: str
    choice: str
    options: tuple[str, ...]
    before: tuple[str, ...]
