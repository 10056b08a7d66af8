"""Cashback programs on a real ledger, with a worker behind."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from loyalty.facts import MemberRef
from loyalty.settlement.request import Recorded
from loyalty.units import UnitKind, format_minor
from loyalty_cashback.commands import RecordPayout, RequestPayout
from loyalty_cashback.payout import State, payout_id
from loyalty_cashback.plugin import plugin as cashback
from loyalty_tenants.model_apps import prepare_models
from loyalty_tenants.units import create_unit
from tests.auditor import audit
from tests.kernel.conftest import BOSS, World, make_world
from tests.kernel.jobs.conftest import Hands, hands, worker_database

__all__ = ["hands", "make_world", "worker_database"]

NEW_YORK = ZoneInfo("America/New_York")
FIVE = {"id": "base", "label": "5 % back", "percent": "5"}


class Bank:
    """A tenant with a cashback program, and a worker that comes when it is called."""

    def __init__(self, world: World, hands: Hands) -> None:
        self.world = world
        self._hands = hands

    def local(self, at: str) -> datetime:
        return datetime.fromisoformat(at).replace(tzinfo=NEW_YORK)

    async def comes(self, at: str, *, worked: bool = True) -> None:
        """Time passes until then."""
        self.world.clock.at = self.local(at)
        if worked:
            await self.works()

    async def works(self) -> int:
        worker = self._hands.worker(self.world, passing_by=True)
        return await worker.run_due(self.world.tenant_id)

    async def buys(self, member: MemberRef, total: str, **more: Any) -> Any:
        purchase = self.world.purchase(member, total, **more)
        await self.world.record(purchase)
        return purchase

    def asks(self, member: MemberRef, key: str, amount: int | None = None, **more: Any
             ) -> RequestPayout:  # fmt: skip
        given: dict[str, Any] = {"program": "cashback", "unit": "USD"} | more
        return RequestPayout(
            member=member, occurred_at=self.world.clock.now(), amount=amount,
            payout=payout_id(self.world.tenant_id, "till", key), **given,
        )  # fmt: skip

    async def requests(
        self, member: MemberRef, amount: int | None = None, key: str | None = None, **more: Any
    ) -> UUID:
        """Ask for a payout; answers its id."""
        key = key or f"payout-{next(self.world.keys)}"
        command = self.asks(member, key, amount, **more)
        await self.world.record(command, key=key)
        return command.payout

    async def becomes(self, payout: UUID, state: State, **more: Any) -> Recorded:
        return await self.world.record(await self.says(payout, state, **more))

    async def says(self, payout: UUID, state: State, **more: Any) -> RecordPayout:
        (row,) = await self.world.rows(
            """select p.member_id, r.id as redemption from loyalty.cashback_payout p
                 join loyalty.redemption r on r.hold_fact_id = p.fact_id where p.id = $1""",
            payout,
        )
        return RecordPayout(
            member=MemberRef(id=row["member_id"]), occurred_at=self.world.clock.now(),
            program="cashback", payout=payout, redemption=row["redemption"], state=state, **more,
        )  # fmt: skip

    async def payouts(self) -> list[tuple[str, str]]:
        """Amount and state of all payouts, in the order in which they were asked for."""
        rows = await self.world.rows(
            "select amount, state from loyalty.cashback_payout order by requested_at, amount"
        )
        return [(format_minor(row["amount"], 2), row["state"]) for row in rows]

    async def has(self, member: MemberRef, unit: str = "USD") -> tuple[str, str]:
        """What is available and what is pending."""
        found = await self.world.balance(member, unit)
        return format_minor(found.available - found.deficit, 2), format_minor(found.pending, 2)

    async def ends(self, member: MemberRef) -> dict[str, str]:
        """What is open by when it ends, as local days; "" for what never does."""
        rows = await self.world.rows(
            """select l.expires_at, sum(l.remaining)::bigint as left from loyalty.lot l
                 join loyalty.account a on a.id = l.account_id
                where a.owner_id = $1 and l.remaining > 0 group by 1 order by 1""",
            member.id,
        )
        return {
            "" if row["expires_at"] is None
            else row["expires_at"].astimezone(NEW_YORK).date().isoformat():
            format_minor(row["left"], 2)
            for row in rows
        }  # fmt: skip

    async def told(self, kind: str) -> list[Any]:
        """The content of each fact of a kind, recorded or emitted at once, oldest first."""
        rows = await self.world.rows(
            """select f.id, f.payload from loyalty.fact f where f.kind = $1
               union all
               select d.fact_id, e -> 'payload' from loyalty.decision d,
                      jsonb_array_elements(d.body -> 'emitted') e where e ->> 'kind' = $1
                order by 1""",
            kind,
        )
        return [row["payload"] for row in rows]

    async def audited(self) -> None:
        found = await audit(self.world.audit_dsn, [self.world.tenant_id], [cashback])
        assert not found, found


@pytest.fixture(scope="session", autouse=True)
async def _models() -> None:
    await prepare_models()


MakeBank = Callable[..., Awaitable[Bank]]


@pytest.fixture
async def bank(
    make_world: Callable[..., Awaitable[World]], hands: Hands
) -> AsyncIterator[MakeBank]:
    """Opens a bank with these config keys at an instant; its ledger is audited in the end."""
    opened: list[Bank] = []

    async def open_one(at: str, **config: Any) -> Bank:
        world = await make_world(None, plugins=(cashback,))
        opened.append(Bank(world, hands))
        world.clock.at = datetime.fromisoformat(at).replace(tzinfo=NEW_YORK)
        async with world.database.tenant(world.tenant_id) as connection:
            for code in ("USD", "EUR"):
                await create_unit(
                    connection, BOSS, code=code, name=code, kind=UnitKind.MONEY,
                    now=world.clock.now(),
                )  # fmt: skip
        program = {"unit": "USD", "currency": "USD", "rules": [FIVE]} | config
        await world.run_program("cashback", program, kind="cashback")
        return opened[-1]

    yield open_one
    for one in opened:
        await one.audited()
