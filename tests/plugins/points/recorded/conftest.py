"""Points programs on a real ledger, with workers behind and somebody who makes members gold."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel

from loyalty.effects import Effect, SetTrait
from loyalty.facts import ActivityRecorded, MemberRef, PurchaseRecorded
from loyalty.ledger.balances import balances
from loyalty.plugin import Plugin, Trait, on
from loyalty.view import View
from loyalty_points.plugin import plugin as points
from loyalty_tenants.model_apps import prepare_models
from loyalty_tenants.program_records import program_by_slug
from loyalty_tenants.programs import update_program
from loyalty_tenants.publishing import publish_program
from loyalty_tenants.units import create_unit
from tests.kernel.conftest import BOSS, World, make_world
from tests.kernel.jobs.conftest import Hands, hands, worker_database

__all__ = ["hands", "make_world", "worker_database"]

NEW_YORK = ZoneInfo("America/New_York")
RULE = {
    "id": "base",
    "label": "Points",
    "accounting_class": "MATERIAL_RIGHT",
    "points": "1",
    "per": {"USD": "1.00"},
}


class Ladder(BaseModel):
    """A program whose activities and purchases say which tier a member has, and until when."""


def _climb(
    config: Ladder, fact: ActivityRecorded | PurchaseRecorded, view: View
) -> Iterator[Effect]:
    if "tier" in fact.attributes:
        until = fact.attributes.get("until")
        yield SetTrait(
            name="tier",
            value=fact.attributes["tier"],
            until=None if until is None else datetime.fromisoformat(until),
        )


ladder = Plugin(
    name="ladder",
    config=Ladder,
    reactions=(on(ActivityRecorded, Ladder, _climb), on(PurchaseRecorded, Ladder, _climb)),
    traits=(Trait(name="tier", type=str, description="The tier."),),
)


class Club:
    """A tenant with a points program, a ladder, and a worker that comes when it is called."""

    def __init__(self, world: World, hands: Hands) -> None:
        self.world = world
        self._hands = hands

    def local(self, at: str) -> datetime:
        return datetime.fromisoformat(at).replace(tzinfo=NEW_YORK)

    async def comes(self, at: str, *, worked: bool = True, told: bool = False) -> None:
        """Time passes until then; `told`: somebody else tells what the outbox holds."""
        self.world.clock.at = self.local(at)
        if worked:
            await self.works(told=told)

    async def works(self, *, told: bool = False) -> int:
        worker = self._hands.worker(self.world, passing_by=not told)
        return await worker.run_due(self.world.tenant_id)

    async def publishes(self, *rules: Any, begins: str | None = None, **keys: Any) -> None:
        """The next version of the program, in force once its counters are filled, or later."""
        world, now = self.world, self.world.clock.now()
        config = {"unit": "points", "rules": list(rules), **keys}
        async with world.database.tenant(world.tenant_id) as connection:
            points = await program_by_slug(connection, "points")
            assert points is not None
            found = await update_program(
                connection, world.configs, BOSS, points.id, expected_version=points.version,
                config=config, now=now,
            )  # fmt: skip
            await publish_program(
                connection, world.configs, BOSS, found.id, expected_version=found.version, now=now,
                effective_from=None if begins is None else self.local(begins),
            )  # fmt: skip
        await self.works()

    async def buys(
        self, member: MemberRef, total: str, at: str | None = None, **attributes: Any
    ) -> Any:
        purchase = self.world.purchase(member, total, at=None if at is None else self.local(at))
        purchase = replace(purchase, attributes=attributes)
        await self.world.record(purchase)
        return purchase

    async def does(self, member: MemberRef, type: str, **attributes: Any) -> Any:
        return await self.world.record(
            ActivityRecorded(
                member=member, occurred_at=self.world.clock.now(), source="app",
                external_id=f"a-{next(self.world.keys)}", type=type, attributes=attributes,
            )
        )  # fmt: skip

    async def ends(self, member: MemberRef, unit: str = "points") -> list[tuple[str, int]]:
        """What is open and when it ends, as local times; "" for what never does."""
        now = self.world.clock.now()
        async with self.world.database.tenant(self.world.tenant_id, read_only=True) as connection:
            found = await balances(connection, [(member.id, unit)], now)  # type: ignore[list-item]
        sums: dict[str, int] = {}
        for lot in found[member.id, unit].lots:  # type: ignore[index]
            end = lot.expires_at and lot.expires_at.astimezone(NEW_YORK).isoformat()[:16]
            sums[end or ""] = sums.get(end or "", 0) + lot.remaining
        return list(sums.items())

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


@pytest.fixture(scope="session", autouse=True)
async def _models() -> None:
    await prepare_models()


@pytest.fixture
async def club(
    make_world: Callable[..., Awaitable[World]], hands: Hands
) -> AsyncIterator[Callable[..., Awaitable[Club]]]:
    """Begins a club of these config keys at an instant; its ledger is audited in the end."""
    begun: list[World] = []

    async def begin(at: str, units: dict[str, int] | None = None, **config: Any) -> Club:
        world = await make_world(None, plugins=(points, ladder))
        begun.append(world)
        world.clock.at = datetime.fromisoformat(at).replace(tzinfo=NEW_YORK)
        async with world.database.tenant(world.tenant_id) as connection:
            for code, places in (units or {}).items():
                await create_unit(
                    connection, BOSS, code=code, name=code, places=places, now=world.clock.now()
                )
        await world.run_program("ladder", {}, kind="ladder")
        await world.run_program("points", {"unit": "points", "rules": [RULE]} | config)
        return Club(world, hands)

    yield begin
    for world in begun:
        await world.audited()
