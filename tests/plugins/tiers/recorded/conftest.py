"""Ladders on a real ledger, beside a points program, with a worker behind."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from loyalty.facts import ActivityRecorded, MemberRef, PurchaseRecorded
from loyalty.settlement.request import Recorded
from loyalty_points.plugin import plugin as points
from loyalty_tenants.model_apps import prepare_models
from loyalty_tenants.programs import update_program
from loyalty_tenants.publishing import publish_program
from loyalty_tiers.commands import SetTier, StartChallenge
from loyalty_tiers.plugin import plugin as tiers
from tests.kernel.conftest import BOSS, World, make_world
from tests.kernel.jobs.conftest import Hands, hands, refused_of_one, worker_database

__all__ = ["hands", "make_world", "refused_of_one", "worker_database"]

NEW_YORK = ZoneInfo("America/New_York")
RULE = {
    "id": "base",
    "label": "Points",
    "accounting_class": "MATERIAL_RIGHT",
    "points": "1",
    "per": {"USD": "1.00"},
}
POINTS = {"id": "points", "label": "Points", "count": "points", "unit": "points"}
SPEND = {"id": "spend", "label": "Spend", "count": "spend", "currency": "USD"}


def step(tier: str, *paths: dict[str, str], **keys: Any) -> dict[str, Any]:
    """A tier with ways to reach it."""
    qualify = [{"needs": path} for path in paths]
    return {"id": tier, "label": tier.capitalize(), "qualify": qualify} | keys


def shown(at: datetime) -> str:
    """An instant in local time, to the minute."""
    return at.astimezone(NEW_YORK).isoformat()[:16]


class Club:
    """A tenant with a ladder `status` and a points program, and a worker that comes when called."""

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
        return await self._hands.worker(self.world).run_due(self.world.tenant_id)

    async def buys(
        self, member: MemberRef, total: str, at: str | None = None, **attributes: Any
    ) -> PurchaseRecorded:
        purchase = self.world.purchase(member, total, at=None if at is None else self.local(at))
        purchase = replace(purchase, attributes=attributes)
        await self.world.record(purchase)
        return purchase

    async def flies(self, member: MemberRef, at: str | None = None, **attributes: Any) -> None:
        await self.world.record(
            ActivityRecorded(
                member=member, occurred_at=self.local(at) if at else self.world.clock.now(),
                source="air", external_id=f"f-{next(self.world.keys)}", type="flight",
                attributes=attributes,
            )
        )  # fmt: skip

    async def set(self, member: MemberRef, tier: str, **keys: Any) -> Recorded:
        given = {"reason": "goodwill"} | keys
        return await self.world.record(
            SetTier(
                member=member, occurred_at=self.world.clock.now(), program="status", tier=tier,
                **given,
            )
        )  # fmt: skip

    async def takes(self, member: MemberRef, challenge: str) -> Recorded:
        return await self.world.record(
            StartChallenge(
                member=member, occurred_at=self.world.clock.now(), program="status",
                challenge=challenge,
            )
        )  # fmt: skip

    async def publish(self, slug: str, config: dict[str, Any] | None = None, **keys: Any) -> None:
        """Another version of a program, in force from now on."""
        world, now = self.world, self.world.clock.now()
        async with world.database.tenant(world.tenant_id) as connection:
            row = await connection.fetchrow(
                "select id, version from loyalty.program where slug = $1", slug
            )
            changed = await update_program(
                connection, world.configs, BOSS, row["id"], expected_version=row["version"],
                config=config, now=now, **keys,
            )  # fmt: skip
            await publish_program(
                connection, world.configs, BOSS, row["id"], expected_version=changed.version,
                now=now,
            )  # fmt: skip

    async def tier(self, member: MemberRef, at: str | None = None, slug: str = "status") -> str:
        """What others are told of the member at an instant; "" for nothing."""
        when = self.local(at) if at else self.world.clock.now()
        rows = await self.world.rows(
            """select value from loyalty.trait where member_id = $1 and name = $2 and since <= $3
                order by since desc, recorded_at desc, fact_id desc limit 1""",
            member.id, f"{slug}.tier", when,
        )  # fmt: skip
        return rows[0]["value"] if rows else ""

    async def told(self, member: MemberRef) -> list[tuple[str, str, str, str]]:
        """What was told of the member's standing, oldest first: when, change, tier, reason."""
        rows = await self.world.rows(
            """select e -> 'payload' as payload from loyalty.decision d
                 join loyalty.fact f on f.id = d.fact_id,
                      jsonb_array_elements(d.body -> 'emitted') e
                where f.member_id = $1 and e ->> 'kind' = 'tiers.changed/1'
                order by f.id""",
            member.id,
        )
        return [
            (
                shown(datetime.fromisoformat(row["payload"]["occurred_at"])),
                row["payload"]["change"], row["payload"]["tier"], row["payload"]["reason"],
            )
            for row in rows
        ]  # fmt: skip

    async def until(self, member: MemberRef) -> str | None:
        """The end of the standing as it is kept, in local time."""
        (row,) = await self.world.rows(
            "select until from loyalty.tiers_standing where member_id = $1", member.id
        )
        return None if row["until"] is None else shown(row["until"])

    async def points(self, member: MemberRef) -> int:
        return (await self.world.balance(member)).total


Begin = Callable[..., Awaitable[Club]]


@pytest.fixture(scope="session", autouse=True)
async def _models() -> None:
    await prepare_models()


@pytest.fixture
async def club(make_world: Callable[..., Awaitable[World]], hands: Hands) -> AsyncIterator[Begin]:
    """Begins a club with a ladder of these config keys; its ledger is audited in the end."""
    begun: list[World] = []

    async def begin(at: str, *, rules: list[dict[str, Any]] | None = None, **config: Any) -> Club:
        world = await make_world(None, plugins=(points, tiers))
        begun.append(world)
        world.clock.at = datetime.fromisoformat(at).replace(tzinfo=NEW_YORK)
        await world.run_program("status", config, kind="tiers")
        await world.run_program("points", {"unit": "points", "rules": [RULE, *(rules or [])]})
        return Club(world, hands)

    yield begin
    for world in begun:
        await world.audited()
