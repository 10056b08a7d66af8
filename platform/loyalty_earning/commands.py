"""What members ask of programs that let them earn. A plugin publishes each under a name of its own,
as a subclass with a `KIND`."""

from dataclasses import dataclass

from loyalty.commands import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Choose(Command):
    """A member picked options of a choice: all that they have of it from now on."""

    program: str
    choice: str
    options: tuple[str, ...]
