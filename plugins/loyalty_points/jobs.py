"""What falls due in points programs."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from loyalty.counters import stored_as, window_of
from loyalty.days import local_day
from loyalty.facts import MemberRef
from loyalty.ids import NIL
from loyalty.plugin import Connection, Due, Job, Replay
from loyalty.setup import Program, Setup
from loyalty.units import format_minor
from loyalty_earning.caps import CapOn
from loyalty_earning.uses import given_counter, owed_counter
from loyalty_points.budget_alarms import budget, budgets
from loyalty_points.config import PointsConfig
from loyalty_points.facts import BudgetReached, CarriedOver

AT_ONCE = 500

# Members with something owed, who were not yet given it in this period.
_OWED = """
select c.member_id from loyalty.counter c
 where c.tenant_id = (select loyalty.tenant()) and c.name = $1
   and not exists (select from loyalty.fact f
                    where f.tenant_id = (select loyalty.tenant()) and f.scope = 'job:points'
                      and f.key = $2 || c.member_id::text)
 group by c.member_id having sum(c.value) > 0
 order by c.member_id limit $3"""


async def carried_over(connection: Connection, setup: Setup, now: datetime) -> AsyncIterator[Due]:
    """On the first day of a cap's period: who is given what the cap cut in earlier ones."""
    for program in setup.programs:
        version = program.at(now) if program.kind == "points" else None
        if version is None or not isinstance(version.config, PointsConfig):
            continue
        for on in version.config.caps_on:
            if on.cap.carry_over and _is_first_day(on, setup, now):
                async for due in _owed(connection, setup, program, on, now):
                    yield due


def _is_first_day(on: CapOn, setup: Setup, now: datetime) -> bool:
    """By the calendar: the first of November has 25 hours in some zones."""
    begins, _ = window_of(given_counter(on), now, setup.zone)
    first, today = (local_day(at, setup.zone, on.cap.day_starts_at) for at in (begins, now))
    return first == today


async def _owed(
    connection: Connection, setup: Setup, program: Program, on: CapOn, now: datetime
) -> AsyncIterator[Due]:
    begins, _ = window_of(given_counter(on), now, setup.zone)
    key = f"carried:{program.id}:{on.target}:{begins.isoformat()}:"
    name = stored_as(program.slug, owed_counter(on))
    for row in await connection.fetch(_OWED, name, key, AT_ONCE):
        yield Due(
            key=f"{key}{row['member_id']}",
            fact=CarriedOver(
                member=MemberRef(id=row["member_id"]),
                occurred_at=now,
                program=program.slug,
                target=on.target,
            ),
        )


def next_period(config: PointsConfig, setup: Setup, after: datetime) -> datetime | None:
    """When the next period of a cap begins that carries over."""
    ends = [
        window_of(given_counter(on), after, setup.zone)[1]
        for on in config.caps_on
        if on.cap.carry_over
    ]
    return min(ends, default=None)


def carried_again(
    config: PointsConfig, slug: str, setup: Setup, at: datetime,
    counted: Callable[[str], Mapping[UUID, int]],
) -> Iterator[CarriedOver]:  # fmt: skip
    """In a back-test: everybody who is owed something when a period begins."""
    for on in config.caps_on:
        if on.cap.carry_over and window_of(given_counter(on), at, setup.zone)[0] == at:
            for member_id, owed in counted(stored_as(slug, owed_counter(on))).items():
                if owed > 0:
                    yield CarriedOver(
                        member=MemberRef(id=member_id), occurred_at=at, program=slug,
                        target=on.target,
                    )  # fmt: skip


carry_over = Job(
    name="carry-over",
    every=timedelta(days=1),
    due=carried_over,
    when=lambda config: any(on.cap.carry_over for on in config.caps_on),
    replay=Replay(fact=CarriedOver, turn=next_period, due=carried_again),
)


# --- budgets --------------------------------------------------------------------------------------

_GIVEN = """
select w.name, coalesce(sum(c.value), 0)::bigint as given
  from unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) w(name, since, before)
  left join loyalty.counter c on c.name = w.name and c.member_id = $4
   and c.bucket >= w.since and c.bucket < w.before
 group by w.name"""


async def budgets_reached(
    connection: Connection, setup: Setup, now: datetime
) -> AsyncIterator[Due]:
    """Which parts of which budgets are given: each once a period, whatever comes back after."""
    for program in setup.programs:
        version = program.at(now) if program.kind == "points" else None
        if version is None or not isinstance(version.config, PointsConfig):
            continue
        if percents := version.config.budget_alarms:
            for on, given in await _given(connection, setup, program, version.config, now):
                for due in _alarms(on, given, percents, setup, program, now):
                    yield due


async def _given(
    connection: Connection, setup: Setup, program: Program, config: PointsConfig, now: datetime
) -> list[tuple[CapOn, int]]:
    """The budgets with what was given of each in this period; one statement for all of them."""
    found = {stored_as(program.slug, given_counter(on)): on for on in budgets(config.caps_on)}
    windows = [window_of(given_counter(on), now, setup.zone) for on in found.values()]
    rows = await connection.fetch(
        _GIVEN, list(found), [since for since, _ in windows], [end for _, end in windows], NIL
    )
    return [(found[row["name"]], row["given"]) for row in rows]


def _alarms(
    on: CapOn, given: int, percents: Sequence[int], setup: Setup, program: Program, now: datetime
) -> Iterator[Due]:
    places = setup.places(on.unit) or 0
    of, (begins, ends) = budget(on, places), window_of(given_counter(on), now, setup.zone)
    for percent in of.reached(given, percents):
        yield Due(
            key=f"budget:{program.id}:{on.given}:{of.minor}:{begins.isoformat()}:{percent}",
            fact=BudgetReached(
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


budget_alarms = Job(
    name="budget-alarms",
    every=timedelta(minutes=2),
    due=budgets_reached,
    each_turn=False,
    when=lambda config: bool(config.budget_alarms),
)
