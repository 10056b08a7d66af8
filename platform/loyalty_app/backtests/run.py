"""A back-test from its order to its report."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.backtest.cost import Cost, configured
from loyalty.backtest.history import History
from loyalty.backtest.naming import name_members
from loyalty.backtest.report import Prices, Report, report
from loyalty.setup import Setup
from loyalty_app.backtests.both import Both, Progress, both
from loyalty_app.backtests.order import Order
from loyalty_app.backtests.reading import Reading
from loyalty_app.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a back-test is asked: a checked draft, a period, and what a point costs, if known."""

    tenant_id: UUID
    program: str
    kind: str
    config: dict[str, Any]
    since: datetime
    before: datetime
    cost_per_point: str | None = None
    check: bool = False


async def run(
    settings: Settings, reader: Reading, asked: Asked, progress: Progress
) -> tuple[Report, Both]:
    """Walk both sides and set them beside each other; nothing is written.

    `reader` is opened on the login of a worker.
    """
    setup = await reader.setups.get(asked.tenant_id)
    history = History(
        database=reader.database, tenant_id=asked.tenant_id, codec=reader.plugins.codec,
        since=asked.since, before=asked.before,
    )  # fmt: skip
    order = Order(
        tenant_id=asked.tenant_id, program=asked.program, kind=asked.kind, config=asked.config,
        since=asked.since, before=asked.before, until=await history.newest(), check=asked.check,
    )  # fmt: skip
    sides = await both(settings, order, setup.zone, progress)
    prices = _prices(reader, setup, asked)
    found = report(setup, reader.plugins, sides.published, sides.draft, asked.before, prices)
    async with reader.database.tenant(asked.tenant_id, read_only=True) as connection:
        await name_members(connection, found)
    return found, sides


def _prices(reader: Reading, setup: Setup, asked: Asked) -> Prices:
    """As asked; else what each side's own config says."""
    draft = reader.configs.parse(asked.kind, asked.config)
    program = setup.program(asked.program)
    version = None if program is None else program.at(asked.before)
    return Prices(
        published=_price(setup, version.config if version else draft, asked.cost_per_point),
        draft=_price(setup, draft, asked.cost_per_point),
    )


def _price(setup: Setup, config: Any, given: str | None) -> Cost | None:
    unit, price = getattr(config, "unit", None), given or configured(config, setup.currencies)
    if unit is None or price is None or not setup.currencies:
        return None
    return Cost(unit=unit, currency=setup.currencies[0], per_point=price)
