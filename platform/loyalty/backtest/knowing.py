"""What was known of programs when: a version nobody had published yet measured nothing.

A version may fill a counter anew, by its own measure, from all that happened before it. So the walk
counts what such a version will fill beside what is counted already, under a name of its own; when
the version is published that takes the counter's place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from loyalty.backtest.sums import Sums
from loyalty.plugin import Counter, Plugin
from loyalty.plugin_set import PluginSet
from loyalty.setup import EVER, Program, ProgramVersion, Setup


@dataclass(frozen=True, slots=True)
class Filled:
    """A counter that a version fills when it is published, and the name it has until then."""

    slug: str
    published_at: datetime
    number: int
    name: str
    counter: Counter

    @property
    def until_then(self) -> str:
        return f"{self.name}#{self.number}"


class Foreseeing(PluginSet):
    """Counts for versions to come, beside those that are known."""

    ahead: tuple[Filled, ...] = ()

    def counting(self, program: Program, plugin: Plugin, at: datetime) -> Mapping[str, Counter]:
        counted = super().counting(program, plugin, at)
        ahead = {one.until_then: one.counter for one in self.ahead if one.slug == program.slug}
        return {**counted, **ahead}


class Knowing:
    """The setup as it was known at one instant after the other; `sums` is what was counted."""

    def __init__(self, setup: Setup, plugins: Foreseeing, sums: Sums) -> None:
        self._all, self._plugins, self._sums = setup, plugins, sums
        self._ahead = sorted(
            _filled(setup, plugins), key=lambda one: (one.published_at, one.number)
        )
        self._changes = sorted(_changes(setup))
        self.setup = self._known(EVER)

    def come(self, at: datetime) -> Setup:
        """What is known at an instant that is not before the last one."""
        if self._changes and self._changes[0] <= at:
            self._changes = [one for one in self._changes if one > at]
            self.setup = self._known(at)
        return self.setup

    def _known(self, at: datetime) -> Setup:
        published = [one for one in self._ahead if one.published_at <= at]
        self._ahead = self._ahead[len(published) :]
        self._plugins.ahead = tuple(self._ahead)
        for one in published:
            self._sums.becomes(one.until_then, one.name)
        programs = tuple(map(partial(_known, at), self._all.programs))
        return replace(self._all, programs=programs)


def _known(at: datetime, program: Program) -> Program:
    versions = tuple(one for one in program.versions if one.published_at <= at)
    archived = program.archived_at
    left = None if archived is None or archived > at else archived
    return replace(program, versions=versions, archived_at=left)


def _changes(setup: Setup) -> set[datetime]:
    """The instants at which something becomes known."""
    changes = {version.published_at for program in setup.programs for version in program.versions}
    return changes | {one.archived_at for one in setup.programs if one.archived_at is not None}


def _filled(setup: Setup, plugins: PluginSet) -> Iterator[Filled]:
    for program in setup.programs:
        if (plugin := plugins.by_name.get(program.kind)) is not None:
            for version in program.versions:
                for name, counter in _fresh(plugins, program, plugin, version).items():
                    yield Filled(program.slug, version.published_at, version.number, name, counter)


def _fresh(
    plugins: PluginSet, program: Program, plugin: Plugin, version: ProgramVersion
) -> dict[str, Counter]:
    """The counters that nobody kept when the version was published."""
    kept = {
        name
        for one in program.kept_before(version)
        for name in plugins.full_names(program, plugin, one)
    }
    mine = plugins.full_names(program, plugin, version)
    return {name: counter for name, counter in mine.items() if name not in kept}
