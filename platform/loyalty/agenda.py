"""Who has a turn when: the reactions of one setup in their order, worked out once.

Which programs are in force changes at a few instants only, so each type of fact has one list of
turns for every stretch between two of them. A fact asks once which stretch it falls into.
"""

from bisect import bisect_right
from collections import Counter as Tally
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    holds of these where nothing was set; `counters` are its program's, by their names. `shares`:
    its program has another turn in answer to the same facts.
    """

    program: Program
    version: ProgramVersion
    plugin: Plugin
    reaction: Reaction
    traits: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    counters: Mapping[str, Counter] = field(default_factory=dict)
    shares: bool = False


class Stretch:
    """The time between two changes of what is in force: what is the same throughout is worked out
    when it is first asked for. `at` is an instant of it."""

    __slots__ = ("_agenda", "_at", "_counted", "_once", "_turns")

    def __init__(self, agenda: "Agenda", at: datetime) -> None:
        self._agenda, self._at = agenda, at
        self._turns: dict[tuple[type[Fact], ...], Sequence[Turn]] = {}
        self._once: dict[Hashable, Any] = {}
        self._counted: Sequence[Kept] | None = None

    def turns(self, *facts: type[Fact]) -> Sequence[Turn]:
        """Who reacts to one of these types: by stage, `after` and position."""
        if (found := self._turns.get(facts)) is None:
            found = self._turns[facts] = self._agenda.turns(facts, self._at)
        return found

    @property
    def counted(self) -> Sequence[Kept]:
        """The counters that what happens is measured by, drafts that fill up too."""
        if (found := self._counted) is None:
            found = self._counted = self._agenda.counted(self._at)
        return found

    def once(self, what: Hashable, worked_out: Callable[[], T]) -> T:
        """Something else that depends on what is in force."""
        if (found := self._once.get(what)) is None:
            found = self._once[what] = worked_out()
        return cast(T, found)


class Agenda:
    """The stretches of a setup; `place` is what turns are ordered by, `counters` a version's by
    name and `counting` those that measure at an instant, by the names under which they are kept."""

    def __init__(
        self,
        setup: Setup,
        plugins: Mapping[str, Plugin],
        place: Callable[[Turn], Any],
        counters: Callable[[Plugin, ProgramVersion], Mapping[str, Counter]],
        counting: Callable[[Program, Plugin, datetime], Mapping[str, Counter]],
    ) -> None:
        self.setup = setup
        self._plugins = plugins
        self._place = place
        self._counters = counters
        self._counting = counting
        self._changes = sorted(_changes(setup))
        self._stretches: list[Stretch | None] = [None] * (len(self._changes) + 1)

    def stretch(self, at: datetime) -> Stretch:
        """The one that an instant falls into."""
        index = bisect_right(self._changes, at)
        if (found := self._stretches[index]) is None:
            found = self._stretches[index] = Stretch(self, at)
        return found

    def counted(self, at: datetime) -> Sequence[Kept]:
        """The counters that what happens at an instant is measured by."""
        return [
            (program, name, counter)
            for program in self.setup.programs
            if (plugin := self._plugins.get(program.kind)) is not None
            for name, counter in self._counting(program, plugin, at).items()
        ]

    def turns(self, facts: tuple[type[Fact], ...], at: datetime) -> Sequence[Turn]:
        """Who reacts to one of these types at an instant."""
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
        times = Tally(turn.version.id for turn in turns)
        return tuple(
            replace(turn, shares=times[turn.version.id] > 1)
            for turn in sorted(turns, key=self._place)
        )

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
