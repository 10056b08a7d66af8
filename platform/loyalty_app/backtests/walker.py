"""How a worker walks: a process for each side, and a pool of two connections for itself."""

from typing import Any
from uuid import UUID

from loyalty.backtest.kept import Backtest
from loyalty.jobs.backtests import Progress
from loyalty_app.backtests.order import Which
from loyalty_app.backtests.reading import reading
from loyalty_app.backtests.run import Asked, run
from loyalty_app.settings import Settings


class Walker:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def __call__(
        self, tenant_id: UUID, backtest: Backtest, progress: Progress
    ) -> dict[str, Any]:
        far = dict.fromkeys(Which, (0, 0))

        async def told(which: Which, done: int, total: int) -> None:
            far[which] = (done, total)
            # Both walk the same facts: together they are as far as the slower one.
            progress(*min(far.values()))

        asked = Asked(
            tenant_id=tenant_id, program=backtest.program, kind=backtest.kind,
            config=dict(backtest.config), since=backtest.since, before=backtest.before,
            cost_per_point=backtest.cost_per_point,
        )  # fmt: skip
        async with reading(self._settings) as reader:
            report, _ = await run(self._settings, reader, asked, told)
        return report
