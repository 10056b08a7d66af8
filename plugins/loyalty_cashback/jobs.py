"""What falls due in cashback programs: statements, and what does in all that let members earn."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta

from loyalty.days import day_start, local_day
from loyalty.facts import MemberRef
from loyalty.plugin import Connection, Due, Job
from loyalty.setup import Program, Setup
from loyalty.units import format_minor
from loyalty_cashback.config import CashbackConfig
from loyalty_cashback.facts import BudgetReached, CarriedOver, PayoutDue, StatementPaid
from loyalty_cashback.payout import payout_id
from loyalty_cashback.programs import config_at, offered
from loyalty_cashback.tables import paid_by_statement
from loyalty_earning.holders import facts_of, refused, with_at_least
from loyalty_earning.jobs import budget_alarms, carry_over

SCOPE = "job:cashback"  # under which the facts that this plugin's jobs name are known for ever


async def statements_due(connection: Connection, setup: Setup, now: datetime) -> AsyncIterator[Due]:
    """Members with enough on the newest day of statements; then that everybody has a payout.

    Only the newest: it pays out all that is there, so a day that no worker came on is made good.
    """
    for program, _ in offered(setup, now):
        if (found := _newest_day(setup, program, now)) is not None:
            day, config = found
            for unit in config.units:
                async for due in _of_unit(connection, setup, program, config, unit, day):
                    yield due


def _newest_day(
    setup: Setup, program: Program, now: datetime
) -> tuple[date, CashbackConfig] | None:
    """The newest day of statements by the config that was in force as it began."""
    today = local_day(now, setup.zone)
    days: dict[date, CashbackConfig] = {}
    for version in program.versions:
        if (statement := version.config.payout.statement) is not None:
            day = statement.on_or_before(today)
            config = config_at(program, day_start(day, setup.zone))
            if config is not None and config is version.config:
                days[day] = config
    return max(days.items(), key=lambda one: one[0], default=None)


async def _of_unit(
    connection: Connection,
    setup: Setup,
    program: Program,
    config: CashbackConfig,
    unit: str,
    day: date,
) -> AsyncIterator[Due]:
    key = f"statement:{program.slug}:{day.isoformat()}:{unit}"
    if key in await facts_of(SCOPE, connection, [key]):
        return
    statement, places = config.payout.statement, setup.places(unit) or 0
    assert statement is not None, "the caller looked"
    least, prefix = statement.least(config.money[unit], places), f"{key}:"
    members = await with_at_least(SCOPE, connection, unit, least, prefix, frozen=False)
    for member_id in members:
        fact = PayoutDue(
            member=MemberRef(id=member_id), occurred_at=day_start(day, setup.zone),
            program=program.slug, unit=unit, day=day.isoformat(),
            payout=payout_id(setup.tenant_id, SCOPE, f"{prefix}{member_id}"),
        )  # fmt: skip
        yield Due(key=f"{prefix}{member_id}", fact=fact)
    if not members:
        count, amount = await paid_by_statement(connection, program.id, unit, day.isoformat())
        paid = StatementPaid(
            occurred_at=day_start(day, setup.zone), program=program.slug, day=day.isoformat(),
            unit=unit, currency=config.money[unit], members=count,
            amount=format_minor(amount, places), refused=await refused(SCOPE, connection, prefix),
        )  # fmt: skip
        yield Due(key=key, fact=paid)


JOBS = (
    carry_over("cashback", CarriedOver),
    budget_alarms("cashback", BudgetReached),
    Job(
        name="statements",
        every=timedelta(hours=1),
        due=statements_due,
        each_turn=False,
        side_by_side=True,
        when=lambda config: config.payout.statement is not None,
    ),
)
