"""One side of a back-test, walked in whatever process this is."""

from dataclasses import dataclass, field

from loyalty.backtest.draft import Draft, with_draft
from loyalty.backtest.history import History
from loyalty.backtest.recorded import Comparison
from loyalty.backtest.side import Progress, Side, nobody, unheard, walked
from loyalty_app.backtests.order import Order, Which
from loyalty_app.backtests.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """A side; and where it was compared with the records, what came of that."""

    side: Side
    comparison: Comparison = field(default_factory=Comparison)


async def one_side(
    reader: Reading, order: Order, which: Which, progress: Progress = nobody
) -> Walked:
    """Walk a tenant's history under its published versions, or with the draft in their place."""
    setup = await reader.setups.get(order.tenant_id)
    comparison = Comparison()
    compares = order.check and which is Which.PUBLISHED
    if which is Which.DRAFT:
        config = reader.configs.parse(order.kind, order.config)
        setup = with_draft(setup, Draft(slug=order.program, kind=order.kind, config=config))
    history = History(
        database=reader.database, tenant_id=order.tenant_id, codec=reader.plugins.codec,
        since=order.since, before=order.before, decided=compares,
    )  # fmt: skip
    side = await walked(
        history, setup, reader.plugins, order.program, until=order.until, progress=progress,
        listener=comparison if compares else unheard, draft=which is Which.DRAFT,
    )  # fmt: skip
    return Walked(side=side, comparison=comparison)
