"""A tenant with a points program and a club that costs something, on a real ledger; a worker."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from loyalty.errors import Code, Refused
from loyalty.facts import FactKey, MemberRef
from loyalty.recorder.each import Outcome
from loyalty.settlement.request import Recorded, Request
from loyalty_points.plugin import plugin as points
from loyalty_subscriptions.facts import ChangeReported, PaymentReported
from loyalty_subscriptions.facts import Outcome as Paid
from loyalty_subscriptions.plugin import plugin as subscriptions
from loyalty_subscriptions.subscription import Provider, Subscription
from loyalty_subscriptions.tables import of_members
from loyalty_tenants.model_apps import prepare_models
from tests.kernel.conftest import World, make_world
from tests.kernel.jobs.conftest import Hands, hands, refused_of_one, worker_database

__all__ = ["hands", "make_world", "refused_of_one", "worker_database"]

NEW_YORK = ZoneInfo("America/New_York")
RULE = {
    "id": "base", "label": "Points", "accounting_class": "MATERIAL_RIGHT", "points": "1",
    "per": {"USD": "1.00"},
}  # fmt: skip
BOOST = {
    "id": "double", "label": "Club doubles", "accounting_class": "SUBSCRIPTION_BENEFIT",
    "bonus": {"factor": "2"},
}  # fmt: skip
GOLD = {
    "id": "gold", "label": "Gold", "period": "P1M", "prices": [{"money": {"USD": "9.90"}}],
    "stripe_prices": ["price_gold"], "perks": [{"id": "shipping", "label": "Free shipping"}],
    "gifts": [{"id": "welcome", "label": "Welcome", "points": "100"}],
}  # fmt: skip
POINTED = {
    "id": "saver", "label": "Saver", "period": "P1M", "prices": [{"points": "50"}],
}  # fmt: skip

YEAR = {
    "id": "year", "label": "Year", "period": "P1Y", "prices": [{"money": {"USD": "99.00"}}],
}  # fmt: skip


async def refused(asking: Any) -> Code:
    with pytest.raises(Refused) as caught:
        await asking
    return caught.value.code


class Club:
    """What members of the club do, what is told of their fees, and what time brings."""

    def __init__(self, world: World, hands: Hands) -> None:
        self.world = world
        self._hands = hands

    def local(self, at: str) -> datetime:
        return datetime.fromisoformat(at).replace(tzinfo=NEW_YORK)

    async def comes(self, at: str, *, worked: bool = True, told: bool = False) -> None:
        """Time passes until then; `worked`: a worker does what fell due; `told`: somebody else
        tells what the outbox holds."""
        self.world.clock.at = self.local(at)
        if worked:
            await self._hands.worker(self.world, passing_by=not told).run_due(self.world.tenant_id)

    async def ask(self, command: type[Any], member: MemberRef, **more: Any) -> Recorded:
        now = self.world.clock.now()
        return await self.world.record(
            command(member=member, occurred_at=now, program="club", **more)
        )

    async def pays(self, member: MemberRef, invoice: str, **more: Any) -> Recorded:
        """The shop tells of a fee for gold of 9.90, now."""
        return await self.world.record(self.fee(member, invoice, **more))

    def fee(self, member: MemberRef, invoice: str, **more: Any) -> PaymentReported:
        given = {
            "member": member, "occurred_at": self.world.clock.now(), "program": "club",
            "provider": Provider.EXTERNAL, "invoice": invoice, "outcome": Paid.PAID,
            "plan": "gold", "amount": 990, "currency": "USD", **more,
        }  # fmt: skip
        return PaymentReported(**given)

    async def tells(self, *facts: PaymentReported | ChangeReported) -> list[Outcome]:
        """Stripe tells of these, in this order, at the door of the club."""
        requests = [
            Request(fact=fact, actor="inbound", key=FactKey("in:subscriptions/club", fact.event))
            for fact in facts
        ]
        return await self.world.recorder.record_many(self.world.tenant_id, requests)

    async def has(self, member: MemberRef) -> list[Subscription]:
        async with self.world.database.tenant(self.world.tenant_id, read_only=True) as connection:
            found = await of_members(connection, [member.id])  # type: ignore[list-item]
        return [one for _, one in found.get(member.id, ())]  # type: ignore[arg-type]

    async def one(self, member: MemberRef) -> Subscription:
        [found] = await self.has(member)
        return found

    async def buys(self, member: MemberRef, total: str) -> int:
        """How many points a purchase brings in all."""
        recorded = await self.world.record(self.world.purchase(member, total))
        return sum(one["amount"] for one in recorded.answer.get("earned", ()))

    async def points(self, member: MemberRef) -> int:
        return (await self.world.balance(member)).total

    async def told(self) -> list[tuple[str, Any]]:
        """What the club told the world, in its order: (kind, content)."""
        rows = await self.world.rows(
            """select e ->> 'kind' as kind, e -> 'payload' as content
                 from loyalty.decision d join loyalty.fact f on f.id = d.fact_id,
                      jsonb_array_elements(d.body -> 'emitted') with ordinality x (e, n)
                where e ->> 'kind' like 'subscriptions.%' order by d.fact_id, n"""
        )
        names = [row["kind"].removeprefix("subscriptions.").removesuffix("/1") for row in rows]
        return [(name, row["content"]) for name, row in zip(names, rows, strict=True)]

    async def kinds(self) -> list[str]:
        return [kind for kind, _ in await self.told()]


Begin = Callable[..., Awaitable[Club]]


@pytest.fixture(scope="session", autouse=True)
async def _models() -> None:
    await prepare_models()


@pytest.fixture
async def club(make_world: Callable[..., Awaitable[World]], hands: Hands) -> AsyncIterator[Begin]:
    """Begins a club of these config keys at an instant; its ledger is audited in the end."""
    begun: list[World] = []

    async def begin(at: str = "2026-01-31T12:00", **config: Any) -> Club:
        world = await make_world(None, plugins=(points, subscriptions))
        begun.append(world)
        world.clock.at = datetime.fromisoformat(at).replace(tzinfo=NEW_YORK)
        await world.run_program("points", {"unit": "points", "rules": [RULE]})
        given = {"unit": "points", "plans": [GOLD, POINTED], "rules": [BOOST], **config}
        await world.run_program("club", given, kind="subscriptions")
        return Club(world, hands)

    yield begin
    for world in begun:
        await world.audited()
