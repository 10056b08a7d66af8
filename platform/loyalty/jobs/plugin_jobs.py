"""Jobs of plugins: they name what is due, the recorder does the rest; twice is a replay."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from loyalty.errors import Refused
from loyalty.facts import FactKey
from loyalty.jobs import refusals, schedule, sides
from loyalty.jobs.schedule import JobRow
from loyalty.jobs.visit import ACTOR, Visit
from loyalty.plugin import Job, Plugin
from loyalty.plugin_set import PluginSet
from loyalty.settlement.request import Recorded, Request
from loyalty.setup import Setup, active_programs

KIND = schedule.PLUGIN
DAY = timedelta(days=1)
CATCH_UP_MAX = 400  # turns that are made up for one by one; what is older is left out
NOT_INSTALLED_PAUSE = timedelta(minutes=10)
log = logging.getLogger(__name__)


def names_of(plugin: Plugin, configs: Iterable[Any]) -> list[str]:
    """The rows that a plugin's jobs go by, of those that any of the configs has use of."""
    configs = list(configs)
    return [
        f"{KIND}:{plugin.name}/{job.name}"
        for job in plugin.jobs
        if job.when is None or any(map(job.when, configs))
    ]


def job_names(plugins: PluginSet, setup: Setup, now: datetime) -> Iterator[str]:
    """The rows that the jobs of a tenant's programs go by, those in force now or later."""
    for plugin in plugins.plugins:
        running = [
            version.config
            for program in setup.programs
            if program.kind == plugin.name
            and not (program.archived_at is not None and program.archived_at <= now)
            for version in program.versions
        ]
        if running:
            yield from names_of(plugin, running)


def following(at: datetime, every: timedelta, zone: ZoneInfo, turns: int = 1) -> datetime:
    """The turn that many turns later. Whole days are counted on the tenant's wall clock, or a day
    of 23 hours could be passed over."""
    days, rest = divmod(every, DAY)
    if rest:
        return at + turns * every
    local = at.astimezone(zone)
    day = local.date() + timedelta(days=turns * days)
    return datetime.combine(day, local.time(), zone).astimezone(at.tzinfo)


class PluginJobs:
    """Missed turns are made up for in their order, each at its own instant, or once for all."""

    async def run(self, visit: Visit, row: JobRow) -> int:
        plugin, _, name = row.which.partition("/")
        job = _job(visit.recorder.plugins, plugin, name)
        if job is None:
            async with visit.transaction() as connection:
                await schedule.move_on(connection, row, visit.now + NOT_INSTALLED_PAUSE)
            return 0
        named: set[FactKey | None] = set()
        while True:
            setup, requests = await self._named(visit, row, plugin, job)
            if done := await self._record(visit, row, job, requests):
                return done  # it may name so many at once only: the same turn again
            new = {request.natural_key for request in requests} - named
            if not new:
                break  # nobody is left; or it names what is known, whenever it is asked
            # Another worker was faster with all of these: whoever comes after them is still due.
            named |= new
        async with visit.transaction() as connection:
            await schedule.move_on(connection, row, _next(row, plugin, job, setup, visit.now))
        return 1

    async def _named(
        self, visit: Visit, row: JobRow, plugin: str, job: Job
    ) -> tuple[Setup, list[Request]]:
        at, scope = row.instant if job.each_turn else visit.now, f"job:{plugin}"
        async with visit.transaction(read_only=True) as connection:
            setup = await visit.recorder.setups.read(connection, visit.tenant_id)
            if not any(program.kind == plugin for program, _ in active_programs(setup, at)):
                return setup, []
            named = [
                Request(fact=due.fact, actor=ACTOR, key=FactKey(scope, due.key), any_time=True)
                async for due in job.due(connection, setup, at)
            ]
            return setup, await refusals.standing(connection, scope, named)

    async def _record(self, visit: Visit, row: JobRow, job: Job, requests: list[Request]) -> int:
        """Record what was named; answers how much of it was new, or is passed over from now on."""
        outcomes = [
            outcome
            for stretch, lanes in _stretches(job, requests)
            for outcome in await sides.record(visit, stretch, lanes)
        ]
        refused = [
            (request, outcome)
            for request, outcome in zip(requests, outcomes, strict=True)
            if isinstance(outcome, Refused)
        ]
        for request, outcome in refused:
            if refusals.about_all(outcome):
                raise RuntimeError(f"{request.natural_key} could not be recorded") from outcome
        noted = await refusals.note(visit, row.which.partition("/")[0], job.name, refused)
        return noted + sum(isinstance(o, Recorded) and not o.replayed for o in outcomes)


def _stretches(
    job: Job, requests: Sequence[Request]
) -> Iterator[tuple[list[Request], list[UUID | None]]]:
    """What may be recorded at once, one stretch after the other, with its lanes."""
    lanes = [_lane(request) if job.side_by_side else None for request in requests]
    pairs = zip(requests, lanes, strict=True)
    for _, stretch in groupby(pairs, key=lambda pair: pair[1] is None):
        found = list(stretch)
        yield [request for request, _ in found], [lane for _, lane in found]


def _lane(request: Request) -> UUID | None:
    return None if request.fact.member is None else request.fact.member.id


def _job(plugins: PluginSet, plugin: str, name: str) -> Job | None:
    known = plugins.by_name.get(plugin)
    return next((job for job in known.jobs if job.name == name), None) if known else None


def _next(row: JobRow, plugin: str, job: Job, setup: Setup, now: datetime) -> datetime:
    """The turn after this one, leaving out those that are not or too many to be made up for.

    What a program says is due before that has a turn of its own: a period begins at midnight, not
    when somebody happened to create its program.
    """
    at = row.instant
    missed = (now - at) // job.every
    made_up = CATCH_UP_MAX if job.each_turn else 0
    turns = max(1, missed - made_up + 1)
    usual = following(at, job.every, setup.zone, turns=turns)
    if job.replay is None or turns > 1:
        return usual
    programs = [one for one in setup.programs if one.kind == plugin]
    versions = [version for one in programs if (version := one.at(at)) is not None]
    found = [job.replay.turn(version.config, setup, at) for version in versions]
    return min([usual, *(turn for turn in found if turn is not None)])
