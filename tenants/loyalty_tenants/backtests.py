"""Asking for back-tests: the draft is checked as one that is saved is, and the trail says who."""

from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.backtest import kept
from loyalty.backtest.cost import per_point
from loyalty.backtest.kept import Backtest, State
from loyalty.errors import Code, Refused
from loyalty.ids import new_id
from loyalty.plugin import Connection
from loyalty_tenants import audit
from loyalty_tenants.configs import Configs
from loyalty_tenants.principal import Actor
from loyalty_tenants.program_records import program_by_slug
from loyalty_tenants.unit_keys import check_units


async def start_backtest(
    connection: Connection, configs: Configs, by: Actor, *, slug: str, config: Any,
    since: datetime, before: datetime, cost_per_point: str | None, now: datetime,
) -> Backtest:  # fmt: skip
    """Have a period replayed under a program's draft, or under `config` in its place.

    :raises Refused: NOT_FOUND, BAD_CONFIG, BAD_USER_INPUT (the period), BAD_AMOUNT (the cost),
        LIMIT_EXCEEDED where one is under way
    """
    if since >= before:
        raise Refused(Code.BAD_USER_INPUT, "must lie after `from`", field="to")
    if cost_per_point is not None:
        per_point(cost_per_point, field="costPerPoint")
    if (found := await program_by_slug(connection, slug)) is None:
        raise Refused(Code.NOT_FOUND, "there is no such program", field="program")
    checked = configs.check_draft(found.kind, found.config if config is None else config)
    await check_units(connection, checked)
    asked = Backtest(
        id=new_id(), program=slug, kind=found.kind, config=checked.plain, since=since,
        before=before, cost_per_point=cost_per_point, state=State.QUEUED, done=0, total=0,
        asked_by=by.subject, asked_at=now, finished_at=None, error=None,
    )  # fmt: skip
    await kept.ask(connection, asked, now)
    await _note(connection, by, "backtest.start", asked, now)
    return asked


async def cancel_backtest(
    connection: Connection, by: Actor, backtest_id: UUID, now: datetime
) -> Backtest:
    """End one that is under way; one that is over stays as it is.

    :raises Refused: NOT_FOUND
    """
    found = await kept.cancel(connection, backtest_id, now)
    await _note(connection, by, "backtest.cancel", found, now)
    return found


async def _note(
    connection: Connection, by: Actor, action: str, about: Backtest, now: datetime
) -> None:
    await audit.write(
        connection, by, action=action, subject=f"program:{about.program}",
        details={"backtest": str(about.id)}, now=now,
    )  # fmt: skip
