"""One side of a comparison: a history walked under one setup, and what it came to."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.backtest.history import History
from loyalty.backtest.past import Past
from loyalty.backtest.reach import beginning
from loyalty.backtest.tally import Tally
from loyalty.backtest.told import Told
from loyalty.backtest.walk import Walk
from loyalty.plugin_set import PluginSet
from loyalty.settlement.need_period import NeedPeriod
from loyalty.setup import Setup

PERIODS_MAX = 1_000  # that one fact asks for
BREATH = 50  # facts; then what else is going on has a turn, such as the reading of the next chunk

Progress = Callable[[int, int], Awaitable[None]]
Listener = Callable[[Past | None, Sequence[Told]], None]
"""Told what each fact came to; and without one, what followed after the last."""


async def nobody(done: int, total: int) -> None:
    """For who wants no progress."""


def unheard(past: Past | None, came: Sequence[Told]) -> None:
    """For who wants only the sums."""


@dataclass(slots=True, kw_only=True)
class Side:
    """`kinds` counts the facts of the period, `warmed_up` those before it."""

    tally: Tally
    begins: datetime
    kinds: Counter[str] = field(default_factory=Counter)
    warmed_up: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    def dump(self) -> dict[str, Any]:
        """As plain JSON, for another process."""
        return {
            "tally": self.tally.dump(), "begins": self.begins.isoformat(), "kinds": self.kinds,
            "warmed_up": self.warmed_up, "left_out": self.left_out, "failures": self.failures,
        }  # fmt: skip

    @classmethod
    def load(cls, plain: Mapping[str, Any], tally: Tally) -> "Side":
        tally.load(plain["tally"])
        return cls(
            tally=tally, begins=datetime.fromisoformat(plain["begins"]),
            kinds=Counter(plain["kinds"]), warmed_up=plain["warmed_up"],
            left_out=Counter(plain["left_out"]), failures=Counter(plain["failures"]),
        )  # fmt: skip


async def walked(
    history: History, setup: Setup, plugins: PluginSet, program: str, *, until: UUID,
    progress: Progress = nobody, listener: Listener = unheard, draft: bool = False,
) -> Side:  # fmt: skip
    """Walk what was recorded up to the fact `until` in the history's period.

    `draft`: the program's config is one. `progress` is told how many facts were walked of how many,
    once a chunk.
    """
    since = history.since
    begins = beginning(setup, plugins, since)
    side = Side(tally=Tally(program=program, zone=setup.zone, since=since), begins=begins)
    history = replace(history, since=begins)
    walk = Walk(
        setup, plugins, members=await history.members(), traits=await history.traits(),
        draft=program if draft else None,
    )  # fmt: skip
    total, done = await history.count(until), 0
    await progress(done, total)
    async for chunk in history.facts(until):
        for start in range(0, len(chunk), BREATH):
            for past in chunk[start : start + BREATH]:
                await _step(walk, past, history, side, listener)
            await asyncio.sleep(0)
        done += len(chunk)
        await progress(done, total)
    end = min(await history.recorded_at(until), history.before)
    last = walk.turned(end) + walk.until(end)
    side.tally.add(last)
    listener(None, last)
    side.left_out, side.failures = walk.left_out, walk.failures
    return side


async def _step(walk: Walk, past: Past, history: History, side: Side, listener: Listener) -> None:
    came = await _came(walk, past, history)
    if past.fact.occurred_at >= side.tally.since:
        side.kinds[past.fact.KIND] += 1
    else:
        side.warmed_up += 1
    side.tally.add(came)
    listener(past, came)


async def _came(walk: Walk, past: Past, history: History) -> Sequence[Told]:
    """A fact's step; what its period holds is looked up for the few that ask."""
    for _ in range(PERIODS_MAX):
        try:
            return walk.step(past)
        except NeedPeriod as need:
            for period in need.periods:
                walk.hears(period, await history.bought(period, past.id))
    raise RuntimeError(f"{past.fact.KIND} {past.id} asks for more and more periods")
