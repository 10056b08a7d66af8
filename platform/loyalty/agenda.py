"""Who has a turn when: the reactions of one setup in their order, worked out once.

Which programs are in force changes at a few instants only, so each type of fact has one list of
turns for every stretch between two of them.
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from loyalty.facts import Fact
from loyalty.plugin import Counter, Plugin, Reaction
from loyalty.setup import Program, ProgramVersion, Setup, active_programs
from loyalty.traits import defaults, full_names

T = TypeVar("T")
Kept = tuple[Program, str, Counter]
"""A counter of a program, with the full name under which it is kept."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One reaction of one active program, in its place in the order.

    `traits` are the full names of those that it reads under its program's config, `defaults` what
    holds of these where nothing was set; `counters` are its program's, by their names.
    """

    program: Program
    version: ProgramVersion
    plugin: Plugin
    reaction: Reaction
    traits: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    counters: Mapping[str, Counter] = field(default_factory=dict)


class Agenda:
    """The turns of a setup; `place` is what they are ordered by, `counters` a version's by name."""

    def __init__(
        self,
        setup: Setup,
        plugins: Mapping[str, Plugin],
        place: Callable[[Turn], Any],
        counters: Callable[[Plugin, ProgramVersion], Mapping[str, Counter]],
    ) -> None:
        self.setup = setup
        self._plugins = plugins
        self._place = place
        self._counters = counters
        self._changes = sorted(_changes(setup))
        self._turns: dict[tuple[int, tuple[type[Fact], ...]], Sequence[Turn]] = {}
        self._once: dict[tuple[int, Hashable], Any] = {}

    def turns(self, facts: tuple[type[Fact], ...], at: datetime) -> Sequence[Turn]:
        """Who reacts to one of these types at an instant: by stage, `after` and position."""
        key = (bisect_right(self._changes, at), facts)
        if (found := self._turns.get(key)) is None:
            found = self._turns[key] = self._worked_out(facts, at)
        return found

    def once(self, what: Hashable, at: datetime, worked_out: Callable[[], T]) -> T:
        """Something that depends on what is in force, `worked_out` once for every stretch."""
        key = (bisect_right(self._changes, at), what)
        if (found := self._once.get(key)) is None:
            found = self._once[key] = worked_out()
        return cast(T, found)

    def _worked_out(self, facts: tuple[type[Fact], ...], at: datetime) -> Sequence[Turn]:
        active = active_programs(self.setup, at)
        standing = defaults(active, self._plugins)
        turns = [
            Turn(program, version, plugin, reaction, names,
                 {name: standing[name] for name in names if name in standing},
                 self._counters(plugin, version))
            for fact in facts
            for program, version in (self._ever(at) if fact.COMPLETES else active)
            if (plugin := self._plugins.get(program.kind)) is not None
            for reaction in plugin.reactions
            if reaction.fact is fact and (reaction.when is None or reaction.when(version.config))
            for names in [self._traits(program, version, reaction)]
        ]  # fmt: skip
        return tuple(sorted(turns, key=self._place))

    def _ever(self, at: datetime) -> list[tuple[Program, ProgramVersion]]:
        """The programs that are or were in force: what completes is heard by archived ones too."""
        found = [(program, program.last(at)) for program in self.setup.programs]
        return [(program, version) for program, version in found if version is not None]

    def _traits(
        self, program: Program, version: ProgramVersion, reaction: Reaction
    ) -> tuple[str, ...]:
        asked = reaction.traits
        if callable(asked):
            asked = tuple(asked(version.config))
        return full_names(asked, program.slug, self.setup, self._plugins)


def _changes(setup: Setup) -> set[datetime]:
    """The instants at which what is in force changes."""
    changes = {version.effective_from for program in setup.programs for version in program.versions}
    return changes | {program.archived_at for program in setup.programs if program.archived_at}
