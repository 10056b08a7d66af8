"""What falls due by the calendar: rewards, dividends and what is told of before it ends.

Each names members that were not looked at yet, as many as are recorded at once, and is asked again;
where nobody is left it names the fact that says so, and from then on that day costs one look-up.
Who was refused is not left: that is tried again by itself, whatever becomes of the day.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from math import ceil

from loyalty.days import day_start, local_day
from loyalty.facts import MemberRef
from loyalty.plugin import Connection, Due, Job
from loyalty.setup import Setup
from loyalty.units import format_minor, ratio
from loyalty_points.declared import Declared, declared
from loyalty_points.facts import (
    ConversionDue,
    DayAnnounced,
    DividendDue,
    DividendIssued,
    ExpiryNear,
    WindowClosed,
)
from loyalty_points.holders import facts_of, given, refused, with_at_least, with_ending
from loyalty_points.windows import LOOK_BACK, OpenWindow, config_at, points_programs, windows

CATCH_UP_DAYS = 31  # a notice that is later than this is none


async def windows_due(connection: Connection, setup: Setup, now: datetime) -> AsyncIterator[Due]:
    """Members with a step in the first window that is open and not closed; then its end."""
    found = list(windows(setup, now - LOOK_BACK, now))
    closed = await facts_of(connection, [window.key for window in found])
    window = next((one for one in found if one.key not in closed), None)
    if window is None:
        return
    places = setup.places(window.config.unit) or 0
    step = ceil(ratio(window.issuing.step) * 10**places)
    prefix = f"{window.key}:"
    members = await with_at_least(connection, window.config.unit, step, prefix)
    for member_id in members:
        yield Due(key=f"{prefix}{member_id}", fact=_conversion(window, MemberRef(id=member_id)))
    if not members:
        yield await _closed(connection, setup, window)


async def dividends_due(connection: Connection, setup: Setup, now: datetime) -> AsyncIterator[Due]:
    """Members with a base in the first year whose dividend is due; then that it was issued."""
    waiting = [one for one in await declared(connection, setup) if one.due_at <= now]
    paid = await facts_of(connection, [one.key for one in waiting])
    dividend = next((one for one in waiting if one.key not in paid), None)
    if dividend is None:
        return
    prefix = f"{dividend.key}:"
    members = await with_at_least(connection, dividend.base, 1, prefix)
    for member_id in members:
        fact = DividendDue(
            member=MemberRef(id=member_id), occurred_at=dividend.due_at,
            program=dividend.program, year=dividend.year, percent=dividend.percent,
        )  # fmt: skip
        yield Due(key=f"{prefix}{member_id}", fact=fact)
    if not members:
        yield await _issued(connection, setup, dividend)


async def notices_due(connection: Connection, setup: Setup, now: datetime) -> AsyncIterator[Due]:
    """Members of whom something ends on a day that is to be told now; then that nobody is left."""
    today = local_day(now, setup.zone)
    for unit, program, ahead in _notices(setup, now):
        days = [
            today + timedelta(days=ahead - late)
            for late in range(min(CATCH_UP_DAYS, ahead - 1), -1, -1)
        ]
        keys = {f"notice:{unit}:{ahead}:{day.isoformat()}": day for day in days}
        told = await facts_of(connection, list(keys))
        for key, day in keys.items():
            at = day_start(day - timedelta(days=ahead), setup.zone)
            if key in told or not _asked_for(setup, program, at, ahead):
                continue
            begin, end = day_start(day, setup.zone), day_start(day + timedelta(days=1), setup.zone)
            members = await with_ending(connection, unit, begin, end, f"{key}:")
            for member_id in members:
                fact = ExpiryNear(
                    member=MemberRef(id=member_id), occurred_at=at, program=program, unit=unit,
                    day=day.isoformat(), days_ahead=ahead,
                )  # fmt: skip
                yield Due(key=f"{key}:{member_id}", fact=fact)
            if not members:
                done = DayAnnounced(
                    occurred_at=at, unit=unit, day=day.isoformat(), days_ahead=ahead
                )
                yield Due(key=key, fact=done)


def _conversion(window: OpenWindow, member: MemberRef) -> ConversionDue:
    return ConversionDue(
        member=member, occurred_at=window.at, program=window.program.slug,
        issuing=window.issuing.id, day=window.day.isoformat(),
    )  # fmt: skip


async def _closed(connection: Connection, setup: Setup, window: OpenWindow) -> Due:
    members, amount = await given(connection, f"{window.key}:")
    fact = WindowClosed(
        occurred_at=window.at, program=window.program.slug, issuing=window.issuing.id,
        day=window.day.isoformat(), unit=window.issuing.unit, members=members,
        refused=await refused(connection, f"{window.key}:"),
        amount=format_minor(amount, setup.places(window.issuing.unit) or 0),
    )  # fmt: skip
    return Due(key=window.key, fact=fact)


async def _issued(connection: Connection, setup: Setup, dividend: Declared) -> Due:
    members, amount = await given(connection, f"{dividend.key}:")
    fact = DividendIssued(
        occurred_at=dividend.due_at, program=dividend.program, year=dividend.year,
        percent=dividend.percent, unit=dividend.unit, members=members,
        refused=await refused(connection, f"{dividend.key}:"),
        amount=format_minor(amount, setup.places(dividend.unit) or 0),
    )  # fmt: skip
    return Due(key=dividend.key, fact=fact)


def _notices(setup: Setup, now: datetime) -> list[tuple[str, str, int]]:
    """(unit, program, days ahead): of programs that say the same of one unit the first one."""
    found: dict[tuple[str, int], str] = {}
    for program in points_programs(setup):
        config = config_at(program, now)
        for unit in () if config is None else (*config.lots.units, *config.lots.issued):
            for ahead in config.expiry.notices if config else ():
                found.setdefault((unit, ahead), program.slug)
    return [(unit, slug, ahead) for (unit, ahead), slug in found.items()]


def _asked_for(setup: Setup, slug: str, at: datetime, ahead: int) -> bool:
    """Whether the program wanted it on the day on which it is to be told."""
    program = setup.program(slug)
    config = None if program is None else config_at(program, at)
    return config is not None and ahead in config.expiry.notices


HOURLY = timedelta(hours=1)
JOBS = (
    Job(
        name="issuing", every=HOURLY, due=windows_due, each_turn=False,
        when=lambda config: bool(config.issuing),
    ),
    Job(
        name="dividends", every=HOURLY, due=dividends_due, each_turn=False,
        when=lambda config: config.dividend is not None,
    ),
    Job(
        name="notices", every=HOURLY, due=notices_due, each_turn=False,
        when=lambda config: bool(config.expiry.notices),
    ),
)  # fmt: skip
