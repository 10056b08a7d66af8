"""What falls due in a plugin's programs: facts that a job names, again and again."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from loyalty.connection import Connection
from loyalty.facts import Fact
from loyalty.setup import Setup


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A fact that fell due, with the key under which it is recorded exactly once."""

    key: str
    fact: Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How a back-test of a draft names what a job would have named under it. Pure.

    `fact` is what the job names; recorded ones are left out. `turn(config, setup, after)` is when
    it would next have something to look at (None: never). `due(config, slug, setup, at, counted)`
    names it then; `counted(name)` has the sums over all time of a counter as it is stored, by
    member.
    """

    fact: type[Fact]
    turn: Callable[[Any, Setup, datetime], datetime | None]
    due: Callable[[Any, str, Setup, datetime, Callable[[str], Mapping[UUID, int]]], Iterable[Fact]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Names what is due in one tenant; the recorder does the rest. Naming it twice is a replay.

    Facts without a member may be yielded too (a rate declared, a window closed).

    `each_turn`: turns that were missed are made up for one by one, each told its own instant. A job
    that looks by itself for all that fell due until now is better asked once, with now.
    `when(config)` says which configs have any use of it (None: all); it has no turns elsewhere.
    `side_by_side`: what it names about one member and about another needs no order, so two batches
    may be under way at once. Facts without a member still come after all that was named before.
    `replay` lets a back-test do the same under a draft (None: what was recorded is told again). Its
    `turn` brings the next turn forward to the instant at which there is something to look at.
    """

    name: str
    every: timedelta
    due: Callable[[Connection, Setup, datetime], AsyncIterator[Due]]
    each_turn: bool = True
    when: Callable[[Any], bool] | None = None
    side_by_side: bool = False
    replay: Replay | None = None
