"""Back-tests: what a draft would have come to, asked for and looked at."""

from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from loyalty.backtest import kept
from loyalty.backtest.chart import chart
from loyalty.backtest.kept import State
from loyalty.backtest.spreadsheet import spreadsheet
from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.backtest_report import BacktestReport, shown_report
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.enums import exposed
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import node_id, read_node_id, uuid_of
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.scalars import Config, Decimal
from loyalty_tenants import backtests
from loyalty_tenants.principal import Role

SHOWN = 50

exposed(
    State,
    name="BacktestState",
    description="Where a back-test is.",
    values={
        State.QUEUED: "Waits for a worker.",
        State.RUNNING: "A worker replays the period.",
        State.DONE: "Its report is there.",
        State.FAILED: "It ended without a report; `error` says why.",
        State.CANCELLED: "It was called off.",
    },
)

Reports = DataLoader[UUID, Any]


@strawberry.type
@reached
class Backtest:
    """A period of the past, replayed under a draft and under what was published."""

    id: strawberry.ID
    """Opaque and globally unique."""
    program: str
    """Slug of the program under test."""
    config: Config
    """The draft that it was asked with."""
    from_: datetime = strawberry.field(name="from", description="Where the period begins.")
    to: datetime
    """Where it ends; what happened then is no part of it."""
    cost_per_point: Decimal | None
    """What a point costs, as it was given."""
    state: State
    """Where it is."""
    done: int
    """How many facts were replayed, on the side that is behind."""
    total: int
    """How many there are to replay; 0 while nobody has counted."""
    asked_by: str
    """Who asked for it."""
    asked_at: datetime
    """When it was asked for; kept for 30 days after its end."""
    finished_at: datetime | None
    """When it ended."""
    error: str | None
    """Why it failed."""
    key: strawberry.Private[UUID]
    loader: strawberry.Private[Reports]

    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:read")
    async def report(self) -> BacktestReport | None:
        """What it came to; null until it is done."""
        found = await self.loader.load(self.key)
        return None if found is None else shown_report(found)

    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:read")
    async def csv(self) -> str | None:
        """All figures as one CSV table; null until it is done."""
        found = await self.loader.load(self.key)
        return None if found is None else spreadsheet(found)

    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:read")
    async def chart(self, unit: str | None = None) -> str | None:
        """A chart by month and rule as SVG, for light and dark pages; null until it is done.

        :param unit: of which unit; null: the first
        """
        found = await self.loader.load(self.key)
        return None if found is None else chart(found, unit)


@strawberry.input
class StartBacktestInput:
    """What to replay, and under which draft."""

    program: str
    """Slug of the program."""
    from_: datetime = strawberry.field(name="from", description="Where the period begins.")
    to: datetime
    """Where it ends; what happens then is no part of it."""
    config: Config | None = None
    """The config to test; null: the program's draft as it is saved."""
    cost_per_point: Decimal | None = None
    """What a point costs, in the tenant's first currency; null: the newest cost that is set."""


@strawberry.input
class CancelBacktestInput:
    """Which back-test to call off."""

    id: strawberry.ID
    """Of the back-test."""


@strawberry.type
@reached
class BacktestPayload:
    """A back-test after what was asked."""

    backtest: Backtest | None
    """As it is now; null where nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class BacktestQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:read")
    async def backtest(self, info: RequestInfo, id: strawberry.ID) -> Backtest | None:
        """A back-test by its id; null where there is none.

        :param id: of the back-test
        """
        context, named = info.context, read_node_id(id)
        if named is None or named[0] != "Backtest":
            return None
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await kept.by_id(connection, named[1])
        return None if found is None else _shown(found, _loader(context))

    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:read")
    async def backtests(self, info: RequestInfo) -> list[Backtest]:
        """The tenant's back-tests of the last 30 days, newest first, at most 50."""
        context = info.context
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await kept.latest(connection, SHOWN)
        loader = _loader(context)
        return [_shown(one, loader) for one in found]


@strawberry.type
class BacktestMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:write")
    async def start_backtest(self, info: RequestInfo, input: StartBacktestInput) -> BacktestPayload:
        """Replay a period under a draft, in the background. One at a time; nothing is written.

        :param input: what to replay
        """
        return await _answer(info.context, _started(info.context, input))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:write")
    async def cancel_backtest(
        self, info: RequestInfo, input: CancelBacktestInput
    ) -> BacktestPayload:
        """Call off a back-test that is under way; one that is over stays as it is.

        :param input: which back-test
        """
        return await _answer(info.context, _cancelled(info.context, input))


async def _answer(context: Context, doing: Awaitable[kept.Backtest]) -> BacktestPayload:
    record, refused = await attempted(doing)
    return BacktestPayload(
        backtest=None if record is None else _shown(record, _loader(context)),
        user_errors=user_errors(refused),
    )


async def _started(context: Context, given: StartBacktestInput) -> kept.Backtest:
    async with context.api.database.tenant(context.tenant_id) as connection:
        return await backtests.start_backtest(
            connection,
            context.api.configs,
            context.actor,
            slug=given.program,
            config=given.config,
            since=given.from_,
            before=given.to,
            cost_per_point=given.cost_per_point,
            now=context.api.clock.now(),
        )


async def _cancelled(context: Context, given: CancelBacktestInput) -> kept.Backtest:
    ident = uuid_of(given.id, "Backtest", field="id")
    async with context.api.database.tenant(context.tenant_id) as connection:
        return await backtests.cancel_backtest(
            connection, context.actor, ident, context.api.clock.now()
        )


def _loader(context: Context) -> Reports:
    """Reports are large: they are loaded where somebody asks, and all of a list at once."""

    async def load(keys: list[UUID]) -> list[Any]:
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found: Mapping[UUID, Any] = await kept.reports(connection, keys)
        return [found.get(key) for key in keys]

    return DataLoader(load)


def _shown(record: kept.Backtest, loader: Reports) -> Backtest:
    return Backtest(
        id=node_id("Backtest", record.id),
        program=record.program,
        config=Config(dict(record.config)),
        from_=record.since,
        to=record.before,
        cost_per_point=None if record.cost_per_point is None else Decimal(record.cost_per_point),
        state=record.state,
        done=record.done,
        total=record.total,
        asked_by=record.asked_by,
        asked_at=record.asked_at,
        finished_at=record.finished_at,
        error=record.error,
        key=record.id,
        loader=loader,
    )
