"""The turns that jobs would have had under a draft, in the time that a walk goes through."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.facts import Fact
from loyalty.plugin import Replay
from loyalty.plugin_set import PluginSet
from loyalty.setup import Setup

Counted = Callable[[str], Mapping[UUID, int]]


class Turns:
    """`slug` is the draft's. Its time is that of what happened, not of when it was recorded: a
    history may have been brought in all at once."""

    def __init__(self, setup: Setup, plugins: PluginSet, slug: str | None) -> None:
        program = None if slug is None else setup.program(slug)
        plugin = None if program is None else plugins.by_name.get(program.kind)
        self._config: Any = program.versions[0].config if program is not None else None
        self._slug, self._setup = slug or "", setup
        self._replays: Sequence[Replay] = [
            job.replay
            for job in (plugin.jobs if plugin is not None else ())
            if job.replay is not None and (job.when is None or job.when(self._config))
        ]
        self._next: list[datetime | None] | None = None

    def names(self, fact: Fact) -> bool:
        """Whether such facts of the draft's program are named here, and not by the history."""
        return any(
            type(fact) is replay.fact and getattr(fact, "program", None) == self._slug
            for replay in self._replays
        )

    def due(self, by: datetime, counted: Counted) -> Iterator[Fact]:
        """What falls due by an instant, in its order; nothing falls due before the first call."""
        if self._next is None:
            self._next = [self._after(replay, by) for replay in self._replays]
        while there := [(at, n) for n, at in enumerate(self._next) if at is not None and at <= by]:
            at, n = min(there)
            replay = self._replays[n]
            yield from list(replay.due(self._config, self._slug, self._setup, at, counted))
            self._next[n] = self._after(replay, at)

    def _after(self, replay: Replay, at: datetime) -> datetime | None:
        return replay.turn(self._config, self._setup, at)
