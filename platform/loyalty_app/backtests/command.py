"""A back-test as a command asks for it: names are looked up, the draft is checked, bars move."""

import asyncio
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from loyalty.backtest.cost import per_point
from loyalty.backtest.report import Report
from loyalty.days import day_start
from loyalty.errors import Refused
from loyalty.setup import Setup
from loyalty_app.backtests.both import Both
from loyalty_app.backtests.draft_file import DraftFile, read
from loyalty_app.backtests.order import Which
from loyalty_app.backtests.printed import printed
from loyalty_app.backtests.reading import Reading, reading
from loyalty_app.backtests.run import Asked, run
from loyalty_app.problem import Problem
from loyalty_app.settings import Settings
from loyalty_tenants.tenants import tenant_of_slug
from loyalty_tenants.unit_keys import check_units

SIDES = {Which.PUBLISHED: "Published", Which.DRAFT: "Draft"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for: days are local ones of the tenant; `before` is no part of it."""

    draft: Path
    tenant: str
    since: date
    before: date
    program: str | None = None
    cost_per_point: str | None = None
    check: bool = False


def backtest(settings: Settings, wanted: Wanted, console: Console) -> tuple[Report, Both]:
    """Run it with a progress bar for each side, then print the tables.

    :raises Problem: there is no such tenant or program, or the draft has a mistake
    """
    file = read(wanted.draft)
    report, both = asyncio.run(_backtest(settings, wanted, file, console))
    console.print(printed(report))
    return report, both


async def _backtest(
    settings: Settings, wanted: Wanted, file: DraftFile, console: Console
) -> tuple[Report, Both]:
    async with reading(settings) as reader:
        try:
            asked = await _asked(reader, wanted, file)
        except Refused as refused:
            raise Problem(
                f"{wanted.draft}: {refused.field}: {refused.message}", "Correct it and try again"
            ) from None
        with _bars(console) as bars:
            tasks = {which: bars.add_task(name, total=None) for which, name in SIDES.items()}

            async def progress(which: Which, done: int, total: int) -> None:
                bars.update(tasks[which], completed=done, total=total)

            return await run(settings, reader, asked, progress)


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(), console=console,
    )  # fmt: skip


async def _asked(reader: Reading, wanted: Wanted, file: DraftFile) -> Asked:
    tenant_id = await tenant_of_slug(reader.database, wanted.tenant)
    if tenant_id is None:
        raise Problem(f"There is no tenant {wanted.tenant!r}", "`loyalty tenant create` makes one")
    setup = await reader.setups.get(tenant_id)
    slug, kind = _program(setup, wanted.program or file.slug, file.kind)
    checked = reader.configs.check_draft(kind, file.config)
    async with reader.database.tenant(tenant_id, read_only=True) as connection:
        await check_units(connection, checked)
    since, before = day_start(wanted.since, setup.zone), day_start(wanted.before, setup.zone)
    if since >= before:
        raise Problem("The period is empty", "--to is the day after the last one")
    cost = wanted.cost_per_point
    return Asked(
        tenant_id=tenant_id, program=slug, kind=kind, config=checked.plain, since=since,
        before=before, check=wanted.check,
        cost_per_point=None if cost is None else per_point(cost, field="--cost-per-point"),
    )  # fmt: skip


def _program(setup: Setup, slug: str | None, kind: str | None) -> tuple[str, str]:
    """Which program, and of what kind: as given, else the tenant's only one."""
    if slug is None and len(setup.programs) == 1:
        slug = setup.programs[0].slug
    found = None if slug is None else setup.program(slug)
    if found is not None:
        return found.slug, found.kind
    if slug is not None and kind is not None:
        return slug, kind  # a program that is yet to come
    known = ", ".join(program.slug for program in setup.programs) or "none"
    raise Problem(
        "The file does not say which program it is for" if slug is None
        else f"There is no published program {slug!r}",
        f"Name one with --program; the tenant runs: {known}",
    )  # fmt: skip
