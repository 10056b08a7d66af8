"""How far before its period a walk must begin, so that what rules remember is there."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from loyalty.commands import Command
from loyalty.counters import ALWAYS, kept_since, window_of
from loyalty.plugin import Plugin
from loyalty.plugin_set import PluginSet
from loyalty.setup import Program, ProgramVersion, Setup


def beginning(setup: Setup, plugins: PluginSet, since: datetime) -> datetime:
    """The earliest instant that a counter's window reaches back to, seen from `since`.

    A program that reads what its plugin loads, or writes, is walked from the very beginning: what
    it wrote by then is all that it has.
    """
    begins = since
    for program, version in _judging(setup, since):
        plugin = plugins.by_name.get(program.kind)
        if plugin is None:
            continue
        if _loads(plugin, version.config):
            return ALWAYS[0]
        for counter in plugin.counters(version.config) if plugin.counters else ():
            reaches = kept_since(counter, since, setup.zone) if counter.kept_days else since
            begins = min(begins, reaches, window_of(counter, since, setup.zone)[0])
    return begins


def loaded(setup: Setup, plugins: PluginSet) -> list[str]:
    """The programs whose plugins load something for their rules, which a walk does not."""
    return [
        program.slug
        for program in setup.programs
        if (plugin := plugins.by_name.get(program.kind)) is not None
        and any(_loads(plugin, version.config) for version in program.versions)
    ]


def _loads(plugin: Plugin, config: Any) -> bool:
    """Whether something is loaded for rules that a walk asks; it asks none about commands."""
    return any(
        reaction.needs
        and not issubclass(reaction.fact, Command)
        and (reaction.when is None or reaction.when(config))
        for reaction in plugin.reactions
    )


def _judging(setup: Setup, since: datetime) -> Iterator[tuple[Program, ProgramVersion]]:
    """The versions that judge something from an instant on."""
    for program in setup.programs:
        at = program.at(since)
        for version in program.versions:
            if version is at or version.effective_from > since:
                yield program, version
