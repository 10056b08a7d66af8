"""The installed plugins together: checked once at start-up, in one fixed order."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cached_property, partial
from itertools import repeat
from typing import Any
from uuid import UUID

from loyalty.agenda import Agenda, Stretch
from loyalty.agenda import Turn as Turn
from loyalty.codec import Codec
from loyalty.counters import stored_as
from loyalty.facts import Fact, FactReversed, Granted
from loyalty.plugin import ActivityType, Counter, Loader, Plugin, Writer
from loyalty.plugin_checks import (
    TOLD,
    check_names,
    check_needs,
    check_owners,
    check_reactions,
    check_writers,
)
from loyalty.setup import Program, ProgramVersion, Setup, active_programs
from loyalty.view import Stage

AGENDAS_MAX = 10_000  # tenants


class PluginSet:
    """Every plugin a process runs with.

    `after` may name a plugin that is not installed: then there is nobody to wait for.

    :raises ValueError: two plugins, facts, loaders, writers, traits, jobs or kinds of owners of one
        name, a fact or field that nobody publishes, an unknown `needs`, or a circle of `after`
    """

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        found = sorted(plugins, key=lambda plugin: plugin.name)
        self.by_name: Mapping[str, Plugin] = {plugin.name: plugin for plugin in found}
        if len(self.by_name) != len(found):
            raise ValueError("two plugins have the same name")
        self.plugins: Sequence[Plugin] = tuple(found)
        self._ranks = {stage: _ranks(found, stage) for stage in Stage}
        self.published = _published(self.plugins)
        self.untold = frozenset(
            fact.name for plugin in self.plugins for fact in plugin.facts if not fact.told
        )
        self._consumers = _consumers(self.plugins, self.published)
        self._agendas: dict[UUID, Agenda] = {}
        self._counters: dict[UUID, tuple[Counter, ...]] = {}
        self._named: dict[UUID, Mapping[str, Counter]] = {}
        self._stored: dict[UUID, Mapping[str, Counter]] = {}
        self._closures: dict[type[Fact], Sequence[type[Fact]]] = {}
        for plugin in self.plugins:
            check_names(plugin)
            check_needs(plugin)
            check_reactions(plugin)
        check_writers(self.plugins)
        check_owners(self.plugins)
        self._check_emits()

    @cached_property
    def codec(self) -> Codec:
        return Codec(self.published.values())

    @cached_property
    def writers(self) -> Mapping[type[Any], Writer]:
        return {writer.row: writer for plugin in self.plugins for writer in plugin.writers}

    def turns(self, fact: type[Fact], setup: Setup, at: datetime) -> Sequence[Turn]:
        """Who reacts to a type of fact at an instant: by stage, `after` and position."""
        return self.stretch(setup, at).turns(fact)

    def shown(self, fact: Fact, stretch: Stretch) -> Iterable[tuple[Turn, Fact]]:
        """Who is shown a fact, in their order, and as what: itself, or as a consumer reads it."""
        kind = type(fact)
        if (consumers := self._consumers.get(kind)) is None:
            return zip(stretch.turns(kind), repeat(fact), strict=False)
        seen = {type(one): one for one in self.seen_as(fact)}
        return [(turn, seen[turn.reaction.fact]) for turn in stretch.turns(kind, *consumers)]

    def stretch(self, setup: Setup, at: datetime) -> Stretch:
        """The stretch, between two changes of what is in force, that an instant falls into."""
        return self.agenda(setup).stretch(at)

    def agenda(self, setup: Setup) -> Agenda:
        found = self._agendas.get(setup.tenant_id)
        if found is None or found.setup is not setup:
            if len(self._agendas) == AGENDAS_MAX:
                self._agendas.clear()  # quick to work out anew
            found = Agenda(setup, self.by_name, self._place, self.counters_by_name, self.counting)
            self._agendas[setup.tenant_id] = found
        return found

    def _place(self, turn: Turn) -> tuple[int, int, int, str]:
        stage, program = turn.reaction.stage, turn.program
        return stage, self._ranks[stage][turn.plugin.name], program.position, program.slug

    def counters(self, plugin: Plugin, version: ProgramVersion) -> tuple[Counter, ...]:
        """The counters of a program's version, computed once: a version never changes."""
        if plugin.counters is None:
            return ()
        if (found := self._counters.get(version.id)) is None:
            found = self._counters[version.id] = tuple(plugin.counters(version.config))
        return found

    def counters_by_name(self, plugin: Plugin, version: ProgramVersion) -> Mapping[str, Counter]:
        """The same by their names."""
        if plugin.counters is None:
            return {}
        if (found := self._named.get(version.id)) is None:
            counters = self.counters(plugin, version)
            found = self._named[version.id] = {counter.name: counter for counter in counters}
        return found

    def full_names(
        self, program: Program, plugin: Plugin, version: ProgramVersion
    ) -> Mapping[str, Counter]:
        """The counters of a program's version by the names under which they are kept."""
        if (found := self._stored.get(version.id)) is None:
            counters = self.counters(plugin, version)
            found = {stored_as(program.slug, counter): counter for counter in counters}
            self._stored[version.id] = found
        return found

    def counting(self, program: Program, plugin: Plugin, at: datetime) -> Mapping[str, Counter]:
        """The counters that what happens at an instant is measured by, by their full names.

        Several versions may keep one, and each would measure it by itself: one of them does.
        """
        full = partial(self.full_names, program, plugin)
        names = dict.fromkeys(name for version in program.counting(at) for name in full(version))
        measuring = {name: program.measuring(at, partial(_keeps, full, name)) for name in names}
        return {
            name: full(version)[name] for name, version in measuring.items() if version is not None
        }

    def activities(self, setup: Setup, at: datetime) -> list[ActivityType]:
        """The types of activities that the programs in force at an instant define."""
        return [
            activity
            for program, version in active_programs(setup, at)
            if (plugin := self.by_name.get(program.kind)) is not None
            and plugin.activities is not None
            for activity in plugin.activities(version.config)
        ]

    def hears_of(self, fact: type[Fact]) -> bool:
        """Whether any reaction could be shown facts of this type."""
        return fact in self._emits or fact in self._consumers

    @cached_property
    def hears_of_grants(self) -> bool:
        return self.hears_of(Granted)

    def seen_as(self, fact: Fact) -> Iterator[Fact]:
        """The fact itself, then as each consumer of its published name declares it."""
        yield fact
        for consumed in self._consumers.get(type(fact), ()):
            shared = {f.name: getattr(fact, f.name) for f in fields(consumed)}
            yield consumed(**shared)

    def closure(self, fact: type[Fact]) -> Sequence[type[Fact]]:
        """What may be shown to reactions in answer to a fact, itself first.

        That is all that reactions declare to emit, as its consumers read it, and what the kernel
        tells of the grants and burns on the way.
        """
        if (found := self._closures.get(fact)) is None:
            found = self._closures[fact] = self._closure_of(fact)
        return found

    def _closure_of(self, fact: type[Fact]) -> Sequence[type[Fact]]:
        seen = {fact: None, **dict.fromkeys(self._consumers.get(fact, ()))}
        told = [one for one, of in TOLD.items() if of is None or issubclass(fact, of)]
        waiting = [*seen, *(one for one in told if one in self._emits)]
        while waiting:
            kind = waiting.pop()
            seen[kind] = None
            for emitted in self._emits.get(kind, ()):
                following = (emitted, *self._consumers.get(emitted, ()))
                waiting += [one for one in following if one not in seen]
        return tuple(seen)

    @cached_property
    def _emits(self) -> Mapping[type[Fact], Mapping[type[Fact], None]]:
        """By type of fact, what those who react to it may emit; a key for each that has any."""
        emits: dict[type[Fact], dict[type[Fact], None]] = {}
        for plugin in self.plugins:
            for reaction in plugin.reactions:
                emits.setdefault(reaction.fact, {}).update(dict.fromkeys(reaction.emits))
        return emits

    def _check_emits(self) -> None:
        for plugin in self.plugins:
            for reaction in plugin.reactions:
                for emitted in reaction.emits:
                    if emitted not in (*self.published.values(), FactReversed):
                        raise ValueError(
                            f"{plugin.name} emits {emitted.__name__}, which nobody publishes"
                        )


def _keeps(
    full: Callable[[ProgramVersion], Mapping[str, Counter]], name: str, version: ProgramVersion
) -> bool:
    return name in full(version)


def _ranks(plugins: Sequence[Plugin], stage: Stage) -> Mapping[str, int]:
    """How many others a plugin's turn in a stage waits for, one after the other."""
    names = {plugin.name for plugin in plugins}
    before = {
        plugin.name: {
            name
            for reaction in plugin.reactions
            if reaction.stage is stage
            for name in reaction.after
            if name in names and name != plugin.name
        }
        for plugin in plugins
    }
    ranks: dict[str, int] = {}
    while len(ranks) < len(before):
        ready = [name for name in before if name not in ranks and before[name] <= ranks.keys()]
        if not ready:
            raise ValueError(f"circle of `after` among {sorted(before.keys() - ranks.keys())}")
        ranks.update({n: max((ranks[b] + 1 for b in before[n]), default=0) for n in ready})
    return ranks


def _published(plugins: Sequence[Plugin]) -> dict[str, type[Fact]]:
    published: dict[str, type[Fact]] = {}
    for plugin in plugins:
        for fact in plugin.facts:
            if not fact.name.startswith(f"{plugin.name}."):
                raise ValueError(f"{plugin.name} may not publish {fact.name}")
            if fact.name != fact.fact.KIND:
                raise ValueError(f"the KIND of {fact.fact.__name__} must be {fact.name!r}")
            if published.setdefault(fact.name, fact.fact) is not fact.fact:
                raise ValueError(f"{fact.name} is published twice")
    return published


def _consumers(
    plugins: Sequence[Plugin], published: Mapping[str, type[Fact]]
) -> dict[type[Fact], list[type[Fact]]]:
    consumers: dict[type[Fact], list[type[Fact]]] = {}
    for plugin in plugins:
        for consumed in plugin.consumes:
            source = published.get(consumed.name)
            if source is None:
                continue  # the producer is not installed: the reaction simply never fires
            there = {f.name: f.type for f in fields(source)}
            for wanted in fields(consumed.fact):
                if there.get(wanted.name) != wanted.type:
                    raise ValueError(
                        f"{plugin.name} reads {wanted.name} of {consumed.name}, which is not "
                        "published so"
                    )
            if consumed.fact is source:
                continue  # read as it is published: its reactions are shown the fact itself
            consumers.setdefault(source, []).append(consumed.fact)
    return consumers


def loader_of(plugin: Plugin, name: str) -> Loader:
    return next(loader for loader in plugin.needs if loader.name == name)
