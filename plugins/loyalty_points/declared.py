"""Declared dividends: which there are, when they are issued, and what speaks against another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from loyalty.days import day_start, local_day
from loyalty.errors import Code, Refused
from loyalty.plugin import Connection
from loyalty.setup import Program, Setup
from loyalty.units import format_plain, parse_minor, ratio
from loyalty_points.dividend import Dividend
from loyalty_points.facts import DIVIDENDS, DividendDeclared
from loyalty_points.windows import config_at

PERCENT_PLACES = 6
_DECLARED = "select payload, occurred_at from loyalty.fact where scope = $1 and key ^@ $2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A year's dividend by its newest declaration. `base` and `unit` are what it goes from and to.

    It falls due with its day, or when it was declared if that was later.
    """

    program: str
    year: int
    percent: str
    revision: int
    issues_on: date
    declared_at: datetime
    due_at: datetime
    base: str
    unit: str

    @property
    def key(self) -> str:
        return f"dividend:{self.program}:{self.year}"


async def declared(
    connection: Connection, setup: Setup, program: str | None = None
) -> Sequence[Declared]:
    """Of all programs or one, by the instant they fall due; of each year the newest declaration."""
    newest: dict[tuple[str, int], Any] = {}
    prefix = "" if program is None else f"{program}:"
    for row in await connection.fetch(_DECLARED, DIVIDENDS, prefix):
        said = row["payload"]
        known = newest.get((said["program"], said["year"]))
        if known is None or known["payload"]["revision"] < said["revision"]:
            newest[said["program"], said["year"]] = row
    found = [one for row in newest.values() if (one := _read(row, setup)) is not None]
    return sorted(found, key=lambda one: (one.due_at, one.program))


def _read(row: Any, setup: Setup) -> Declared | None:
    """None where the program has no dividend any more when this one falls due."""
    said, declared_at = row["payload"], row["occurred_at"]
    day = date.fromisoformat(said["issues_on"])
    due_at = max(day_start(day, setup.zone), declared_at)
    program = setup.program(said["program"])
    config = None if program is None else config_at(program, due_at)
    if config is None or config.dividend is None:
        return None
    return Declared(
        program=said["program"], year=said["year"], percent=said["percent"],
        revision=said["revision"], issues_on=day, declared_at=declared_at, due_at=due_at,
        base=config.unit, unit=config.dividend.unit,
    )  # fmt: skip


async def to_declare(
    connection: Connection, setup: Setup, slug: str, year: int, percent: str, now: datetime
) -> DividendDeclared | None:
    """The fact that declares a rate; None where exactly this one is declared.

    :raises Refused: no such program, the year is not over or the dividend is given already, an
        earlier year of the program waits for its rate, or the rate is none
    """
    program, dividend = dividend_of(setup, slug, now)
    percent = percent_of(percent)
    known = {one.year: one for one in await declared(connection, setup, slug)}
    before = known.get(year)
    if before is not None and before.percent == percent:
        return None
    _check_year(setup, program, year, known.keys(), now)
    if before is not None and now >= before.due_at:
        raise Refused(
            Code.TOO_LATE, f"the dividend of {year} is issued already at {before.percent} %",
            field="year", details={"percent": before.percent},
        )  # fmt: skip
    return DividendDeclared(
        occurred_at=now, program=slug, year=year, percent=percent,
        issues_on=dividend.issued_on(year).isoformat(),
        revision=1 if before is None else before.revision + 1,
    )  # fmt: skip


def dividend_of(setup: Setup, slug: str, now: datetime) -> tuple[Program, Dividend]:
    """:raises Refused: PROGRAM_NOT_ACTIVE"""
    program = setup.program(slug)
    config = None if program is None else config_at(program, now)
    if program is None or config is None or config.dividend is None:
        raise Refused(
            Code.PROGRAM_NOT_ACTIVE, "no active program of this slug has a dividend",
            field="program",
        )  # fmt: skip
    return program, config.dividend


def percent_of(text: str) -> str:
    """A rate in its one written form.

    :raises Refused: BAD_AMOUNT
    """
    minor = parse_minor(text, PERCENT_PLACES, field="percent")
    whole = format_plain(minor, PERCENT_PLACES)
    if ratio(whole) > 100:
        raise Refused(Code.BAD_AMOUNT, "must be at most 100 percent", field="percent")
    return whole


def _check_year(setup: Setup, program: Program, year: int, known: Any, now: datetime) -> None:
    today = local_day(now, setup.zone)
    begun = min(local_day(one.effective_from, setup.zone).year for one in program.versions)
    if not begun <= year:
        raise Refused(Code.TOO_EARLY, f"the program began in {begun}", field="year")
    if year >= today.year:
        raise Refused(Code.TOO_EARLY, f"{year} is not over: its base still grows", field="year")
    missing = [one for one in range(begun, year) if one not in known]
    if missing:
        raise Refused(
            Code.BAD_USER_INPUT,
            f"declare {missing[0]} first, with 0 where it has no dividend: years are paid in order",
            field="year",
            details={"missing": missing},
        )
