"""A back-test from its order to its report."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.backtest.cost import Cost
from loyalty.backtest.history import History
from loyalty.backtest.naming import name_members
from loyalty.backtest.report import Report, report
from loyalty.connection import Connection
from loyalty.counters import ALWAYS
from loyalty.setup import Setup
from loyalty_app.backtests.both import Both, Progress, both
from loyalty_app.backtests.order import Order
from loyalty_app.backtests.reading import Reading
from loyalty_app.settings import Settings
from loyalty_tenants.desk.costs import OF_THE_UNIT, costs


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
    async with reader.database.tenant(asked.tenant_id, read_only=True) as connection:
        prices = await _prices(connection, reader, setup, asked)
        found = report(setup, reader.plugins, sides.published, sides.draft, asked.before, prices)
        await name_members(connection, found)
    return found, sides


async def _prices(
    connection: Connection, reader: Reading, setup: Setup, asked: Asked
) -> Mapping[str, Cost]:
    """As asked; else the newest cost that is set for what the program gives, or for its unit.

    Money costs what it is worth, unless another cost is set.
    """
    config = reader.configs.parse(asked.kind, asked.config)
    money: Mapping[str, str] = getattr(config, "money", {})
    prices = {unit: Cost(unit, currency, "1") for unit, currency in money.items()}
    unit = getattr(config, "unit", None)
    if not isinstance(unit, str):
        return prices
    if asked.cost_per_point is not None and setup.currencies:
        price = Cost(unit=unit, currency=setup.currencies[0], per_point=asked.cost_per_point)
        return prices | {unit: price}
    known = await costs(connection, unit, ALWAYS[1])
    found = known.get(asked.program) or known.get(OF_THE_UNIT)
    return prices if found is None else prices | {unit: Cost(unit, found.currency, found.each)}
