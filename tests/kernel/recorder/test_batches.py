"""A batch: what one request does to the others, which is nothing."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from loyalty.commands import Redeem
from loyalty.database import Database
from loyalty.effects import Effect, Hold
from loyalty.errors import Code, Refused
from loyalty.facts import ActivityRecorded
from loyalty.plugin import Loader, Plugin, on
from loyalty.recorder.recorder import Recorder
from loyalty.settlement.request import Committed, Recorded
from loyalty.view import View
from loyalty_points.plugin import plugin as points_plugin

POISON = [
    pytest.param({"note": "a\x00b"}, id="nul"),
    pytest.param({"note": "\ud800"}, id="half a pair"),
    pytest.param({"count": 2**80}, id="too large for a number"),
]


@pytest.mark.parametrize("attributes", POISON)
async def test_what_postgres_cannot_store_fails_alone(
    world: Any, attributes: dict[str, Any]
) -> None:
    member = await world.member()
    purchases = [world.purchase(member, 100) for _ in range(64)]
    purchases[37] = replace(purchases[37], attributes=attributes)

    outcomes = await world.records(*purchases)

    failed = [i for i, outcome in enumerate(outcomes) if isinstance(outcome, Refused)]
    assert (failed, outcomes[37].code) == ([37], Code.INTERNAL)
    assert (await world.balance(member)).available == 63


async def test_a_poisoned_external_id_fails_alone(world: Any) -> None:
    member = await world.member()
    purchases = [world.purchase(member, 100, external_id=f"o-{i}") for i in range(8)]
    purchases[3] = replace(purchases[3], external_id="o-\x00")

    outcomes = await world.records(*purchases)

    assert [isinstance(outcome, Refused) for outcome in outcomes] == [i == 3 for i in range(8)]


class Empty(BaseModel):
    pass


def _nothing(config: Empty, fact: ActivityRecorded, view: View) -> list[Effect]:
    return []


async def _load(connection: Any, wanted: Any) -> Any:
    if any(request.fact.type == "bad" for request in wanted):
        raise LookupError("a loader that fails")
    return {}


loading = Plugin(
    name="loading",
    config=Empty,
    needs=(Loader(name="it", load=_load),),
    reactions=(on(ActivityRecorded, Empty, _nothing, needs=("it",)),),
)


async def test_a_loader_that_fails_on_one_fact_fails_that_one(make_world: Any) -> None:
    world = await make_world(None, plugins=(points_plugin, loading))
    await world.run_program("loading", {}, kind="loading")
    member = await world.member()

    outcomes = await world.records(
        *(
            ActivityRecorded(
                member=member, occurred_at=world.clock.now(), source="app", external_id=str(i),
                type="bad" if i == 5 else "good",
            )
            for i in range(9)
        )
    )  # fmt: skip

    assert [getattr(o, "code", None) for o in outcomes] == [
        Code.INTERNAL if i == 5 else None for i in range(9)
    ]


def _hold(config: Empty, fact: ActivityRecorded, view: View) -> list[Effect]:
    return [Hold(unit="points", amount=1, until=fact.occurred_at + timedelta(days=1))]


async def test_only_a_redemption_holds(make_world: Any) -> None:
    holding = Plugin(name="holding", config=Empty, reactions=(on(ActivityRecorded, Empty, _hold),))
    world = await make_world(None, plugins=(points_plugin, holding))
    await world.run_program("holding", {}, kind="holding")
    member = await world.member()
    await world.give(member, 5)

    refused = await world.refusal(
        ActivityRecorded(
            member=member, occurred_at=world.clock.now(), source="app", external_id="1", type="t"
        )
    )

    assert refused.code is Code.INTERNAL
    assert (await world.balance(member)).available == 5


async def test_more_than_a_batch_holds_is_recorded_in_several(world: Any) -> None:
    member = await world.member()

    outcomes = await world.records(*(world.purchase(member, 100) for _ in range(1_100)))

    assert all(isinstance(outcome, Recorded) for outcome in outcomes)
    assert (await world.balance(member)).available == 1_100


async def test_what_was_recorded_before_the_pool_ran_dry_stands(world: Any, dsn: Any) -> None:
    member = await world.member()
    database = await Database.open(dsn.app, size=1, acquire_timeout=0.3)
    taken, over = asyncio.Event(), asyncio.Event()

    async def take_the_only_connection() -> None:
        async with database.tenant(world.tenant_id):
            taken.set()
            await over.wait()

    async def after_the_first_batch(*committed: Committed) -> None:
        holders.append(asyncio.ensure_future(take_the_only_connection()))
        await taken.wait()

    holders: list[asyncio.Future[None]] = []
    recorder = Recorder(
        database, world.plugins, world.recorder.setups, world.clock,
        committed=after_the_first_batch,
    )  # fmt: skip
    requests = [world.request(world.purchase(member, 100)) for _ in range(502)]

    outcomes = await recorder.record_many(world.tenant_id, requests)
    over.set()
    await asyncio.gather(*holders)

    assert [getattr(o, "code", None) for o in outcomes] == [None] * 251 + [Code.OVERLOADED] * 251
    assert (await world.balance(member)).available == 251
    await database.close()


async def test_a_burn_beside_other_burns_in_one_batch_keeps_the_order(world: Any) -> None:
    members = [await world.member() for _ in range(5)]
    for member in members:
        for days in (9, 3, 6):
            await world.give(member, 5, days=days)
    now: datetime = world.clock.now()

    await world.recorder.record_many(
        world.tenant_id,
        [
            world.request(
                Redeem(
                    member=member, occurred_at=now, program="points", unit="points", amount=4,
                    capture=True,
                )
            )
            for member in members * 3
        ],
    )  # fmt: skip

    rows = await world.rows("select remaining from loyalty.lot order by expires_at")
    assert [row["remaining"] for row in rows] == [0] * 10 + [3] * 5
