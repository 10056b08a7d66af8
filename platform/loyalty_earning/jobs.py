"""What falls due in programs that let members earn: caps that carry over, alarms of budgets.

A plugin names its kind of program, and the facts by which it tells of it.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from loyalty.counters import stored_as, window_of
from loyalty.days import local_day
from loyalty.facts import MemberRef
from loyalty.ids import NIL
from loyalty.plugin import Connection, Due, Job, Replay
from loyalty.refused_due import is_refused
from loyalty.setup import Program, Setup
from loyalty.units import format_minor
from loyalty_earning.budgets import budget, budgets
from loyalty_earning.caps import CapOn
from loyalty_earning.config import EarningConfig
from loyalty_earning.facts import BudgetReached, CarriedOver
from loyalty_earning.uses import given_counter, owed_counter

AT_ONCE = 500

# Members with something owed, who were not yet given it in this period. Nothing is given to who
# left: named all the same they would be refused at each turn, and stand before those who wait.
_OWED = f"""
select c.member_id from loyalty.counter c
 where c.tenant_id = (select loyalty.tenant()) and c.name = $1
   and exists (select from loyalty.member m
                where m.tenant_id = c.tenant_id and m.id = c.member_id and m.status <> 'CLOSED')
   and not exists (select from loyalty.fact f
                    where f.tenant_id = (select loyalty.tenant()) and f.scope = $4
                      and f.key = $2 || c.member_id::text)
   and not {is_refused("$4", "$2 || c.member_id::text")}
 group by c.member_id having sum(c.value) > 0
 order by c.member_id limit $3"""


def carry_over(kind: str, told: type[CarriedOver]) -> Job:
    """On the first day of a cap's period: who is given what the cap cut in earlier ones."""

    async def due(connection: Connection, setup: Setup, now: datetime) -> AsyncIterator[Due]:
        for program, config in _programs(kind, setup, now):
            for on in config.caps_on:
                if on.cap.carry_over and _is_first_day(on, setup, now):
                    begins, _ = window_of(given_counter(on), now, setup.zone)
                    key = f"carried:{program.id}:{on.counted}:{begins.isoformat()}:"
                    name = stored_as(program.slug, owed_counter(on))
                    for row in await connection.fetch(_OWED, name, key, AT_ONCE, f"job:{kind}"):
                        fact = told.of(program.slug, on, MemberRef(id=row["member_id"]), now)
                        yield Due(key=f"{key}{row['member_id']}", fact=fact)

    return Job(
        name="carry-over",
        every=timedelta(days=1),
        due=due,
        when=lambda config: any(on.cap.carry_over for on in config.caps_on),
        replay=Replay(fact=told, turn=next_period, due=partial(_again, told)),
    )


def next_period(config: EarningConfig, setup: Setup, after: datetime) -> datetime | None:
    """When the next period of a cap begins that carries over."""
    ends = [
        window_of(given_counter(on), after, setup.zone)[1]
        for on in config.caps_on
        if on.cap.carry_over
    ]
    return min(ends, default=None)


def _again(
    told: type[CarriedOver], config: EarningConfig, slug: str, setup: Setup, at: datetime,
    counted: Callable[[str], Mapping[UUID, int]],
) -> Iterator[CarriedOver]:  # fmt: skip
    """In a back-test: everybody who is owed something when a period begins."""
    for on in config.caps_on:
        if on.cap.carry_over and window_of(given_counter(on), at, setup.zone)[0] == at:
            for member_id, owed in counted(stored_as(slug, owed_counter(on))).items():
                if owed > 0:
                    yield told.of(slug, on, MemberRef(id=member_id), at)


def _programs(kind: str, setup: Setup, now: datetime) -> Iterator[tuple[Program, EarningConfig]]:
    """Those of a kind that are in force."""
    for program in setup.programs:
        version = program.at(now) if program.kind == kind else None
        if version is not None and isinstance(version.config, EarningConfig):
            yield program, version.config


def _is_first_day(on: CapOn, setup: Setup, now: datetime) -> bool:
    """By the calendar: the first of November has 25 hours in some zones."""
    begins, _ = window_of(given_counter(on), now, setup.zone)
    first, today = (local_day(at, setup.zone, on.cap.day_starts_at) for at in (begins, now))
    return first == today


# --- budgets --------------------------------------------------------------------------------------

_GIVEN = """
select w.name, coalesce(sum(c.value), 0)::bigint as given
  from unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) w(name, since, before)
  left join loyalty.counter c on c.name = w.name and c.member_id = $4
   and c.bucket >= w.since and c.bucket < w.before
 group by w.name"""


def budget_alarms(kind: str, told: type[BudgetReached]) -> Job:
    """Which parts of which budgets are given: each once a period, whatever comes back after."""

    async def due(connection: Connection, setup: Setup, now: datetime) -> AsyncIterator[Due]:
        for program, config in _programs(kind, setup, now):
            if percents := config.budget_alarms:
                for on, given in await _given(connection, setup, program, config, now):
                    for one in _alarms(on, given, percents, setup, program, now, told):
                        yield one

    return Job(
        name="budget-alarms",
        every=timedelta(minutes=2),
        due=due,
        each_turn=False,
        when=lambda config: bool(config.budget_alarms),
    )


async def _given(
    connection: Connection, setup: Setup, program: Program, config: EarningConfig, now: datetime
) -> list[tuple[CapOn, int]]:
    """The budgets with what was given of each in this period; one statement for all of them."""
    found = dict[str, list[CapOn]]()
    for on in budgets(config.caps_on):
        found.setdefault(stored_as(program.slug, given_counter(on)), []).append(on)
    windows = [window_of(given_counter(on), now, setup.zone) for on, *_ in found.values()]
    rows = await connection.fetch(
        _GIVEN, list(found), [since for since, _ in windows], [end for _, end in windows], NIL
    )
    return [(on, row["given"]) for row in rows for on in found[row["name"]]]


def _alarms(
    on: CapOn,
    given: int,
    percents: Sequence[int],
    setup: Setup,
    program: Program,
    now: datetime,
    told: type[BudgetReached],
) -> Iterator[Due]:
    places = setup.places(on.unit) or 0
    of, (begins, ends) = budget(on, places), window_of(given_counter(on), now, setup.zone)
    for percent in of.reached(given, percents):
        yield Due(
            key=f"budget:{program.id}:{on.given}:{of.minor}:{begins.isoformat()}:{percent}",
            fact=told(
                occurred_at=now,
                program=program.slug,
                target=on.target,
                unit=on.unit,
                percent=percent,
                budget=format_minor(of.minor, places),
                given=format_minor(given, places),
                begins=begins,
                ends=ends,
            ),
        )
