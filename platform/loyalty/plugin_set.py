"""The installed plugins together: checked once at start-up, in one fixed order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from loyalty.codec import Codec
from loyalty.facts import Fact
from loyalty.plugin import Counter, Loader, Plugin, Reaction, Writer
from loyalty.setup import Program, ProgramVersion, Setup, active_programs


@dataclass(frozen=True, slots=True)
class Turn:
    """One reaction of one active program, in its place in the order."""

    program: Program
    version: ProgramVersion
    plugin: Plugin
    reaction: Reaction


class PluginSet:
    """Every plugin a process runs with.

    :raises ValueError: two plugins or facts of one name, a consumed field nobody publishes, an
        unknown `needs` or `after`, or a circle of `after` or of `emits`
    """

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        found = sorted(plugins, key=lambda plugin: plugin.name)
        self.by_name: Mapping[str, Plugin] = {plugin.name: plugin for plugin in found}
        if len(self.by_name) != len(found):
            raise ValueError("two plugins have the same name")
        self.plugins: Sequence[Plugin] = tuple(_in_order(found))
        self.published = _published(self.plugins)
        self._consumers = _consumers(self.plugins, self.published)
        self._counters: dict[UUID, tuple[Counter, ...]] = {}
        for plugin in self.plugins:
            _check_needs(plugin)
        self._check_emits()

    @cached_property
    def codec(self) -> Codec:
        return Codec(self.published.values())

    @cached_property
    def writers(self) -> Mapping[type[Any], Writer]:
        return {writer.row: writer for plugin in self.plugins for writer in plugin.writers}

    def turns(self, fact: type[Fact], setup: Setup, at: datetime) -> list[Turn]:
        """Who reacts to a type of fact at an instant, by stage, plugin and position."""
        order = {plugin.name: index for index, plugin in enumerate(self.plugins)}
        turns = [
            Turn(program, version, plugin, reaction)
            for program, version in active_programs(setup, at)
            if (plugin := self.by_name.get(program.kind)) is not None
            for reaction in plugin.reactions
            if reaction.fact is fact
        ]
        turns.sort(key=lambda turn: (turn.reaction.stage, order[turn.plugin.name]))
        return turns

    def counters(self, plugin: Plugin, version: ProgramVersion) -> tuple[Counter, ...]:
        """The counters of a program's version, computed once: a version never changes."""
        if plugin.counters is None:
            return ()
        if (found := self._counters.get(version.id)) is None:
            found = self._counters[version.id] = tuple(plugin.counters(version.config))
        return found

    def seen_as(self, fact: Fact) -> Iterator[Fact]:
        """The fact itself, then as each consumer of its published name declares it."""
        yield fact
        for consumed in self._consumers.get(type(fact), ()):
            shared = {f.name: getattr(fact, f.name) for f in fields(consumed)}
            yield consumed(**shared)

    def closure(self, fact: type[Fact]) -> frozenset[type[Fact]]:
        """The fact and all that may be emitted in answer to it, by what reactions declare."""
        return self._closures[fact] if fact in self._closures else frozenset({fact})

    @cached_property
    def _closures(self) -> Mapping[type[Fact], frozenset[type[Fact]]]:
        emits = self._emits()
        closures = {}
        for start in emits:
            seen, waiting = {start}, [start]
            while waiting:
                for following in emits.get(waiting.pop(), ()):
                    for kind in (following, *self._consumers.get(following, ())):
                        if kind not in seen:
                            seen.add(kind)
                            waiting.append(kind)
            closures[start] = frozenset(seen)
        return closures

    def _emits(self) -> dict[type[Fact], set[type[Fact]]]:
        emits: dict[type[Fact], set[type[Fact]]] = {}
        for plugin in self.plugins:
            for reaction in plugin.reactions:
                emits.setdefault(reaction.fact, set()).update(reaction.emits)
        return emits

    def _check_emits(self) -> None:
        for plugin in self.plugins:
            for reaction in plugin.reactions:
                for emitted in reaction.emits:
                    if emitted not in self.published.values():
                        raise ValueError(
                            f"{plugin.name} emits {emitted.__name__}, which nobody publishes"
                        )


def _in_order(plugins: Sequence[Plugin]) -> Iterator[Plugin]:
    """By name, except that whoever says `after=` another comes after it."""
    names = {plugin.name for plugin in plugins}
    waiting, done = list(plugins), set[str]()
    while waiting:
        for plugin in waiting:
            before = {name for reaction in plugin.reactions for name in reaction.after}
            if before & names <= done | {plugin.name}:
                break
        else:
            raise ValueError(f"circle of `after` among {sorted(p.name for p in waiting)}")
        waiting.remove(plugin)
        done.add(plugin.name)
        yield plugin


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
            consumers.setdefault(source, []).append(consumed.fact)
    return consumers


def _check_needs(plugin: Plugin) -> None:
    loaders = {loader.name for loader in plugin.needs}
    for reaction in plugin.reactions:
        if missing := set(reaction.needs) - loaders:
            raise ValueError(f"{plugin.name} needs {sorted(missing)}, which it does not load")


def loader_of(plugin: Plugin, name: str) -> Loader:
    return next(loader for loader in plugin.needs if loader.name == name)
