"""What a rule is shown of a balance does not move while it answers."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from loyalty.effects import Burn, Effect
from loyalty.facts import ActivityRecorded
from loyalty.plugin import BurnWant, Plugin, on
from loyalty.view import View
from loyalty_points.plugin import plugin as points

seen: list[tuple[str, int, int]] = []


class Config(BaseModel):
    pass


def _all(config: Config, fact: ActivityRecorded) -> Iterator[BurnWant]:
    yield BurnWant(unit="points")


def _note(who: str, view: View) -> None:
    balance = view.balance("points")
    seen.append((who, balance.total, balance.available))


def _spend(config: Config, fact: ActivityRecorded, view: View) -> Iterator[Effect]:
    """Asks for the first time when it has burnt something already."""
    yield Burn(unit="points", amount=30)
    _note("who burns", view)


def _look(config: Config, fact: ActivityRecorded, view: View) -> Iterator[Effect]:
    _note("who comes next", view)
    yield from ()


SPENDER = Plugin(
    name="spender", config=Config, reactions=(on(ActivityRecorded, Config, _spend, burns=_all),)
)
WATCHER = Plugin(
    name="watcher", config=Config,
    reactions=(on(ActivityRecorded, Config, _look, burns=_all, after=("spender",)),),
)  # fmt: skip


async def test_a_rule_sees_what_there_was_when_its_turn_came(make_world: Any) -> None:
    world = await make_world(plugins=(points, SPENDER, WATCHER))
    for name in ("spender", "watcher"):
        await world.run_program(name, {}, kind=name)
    member = await world.member()
    await world.record(world.purchase(member, 100_00))
    before = await world.balance(member)
    seen.clear()

    await world.record(
        ActivityRecorded(
            member=member, occurred_at=world.clock.now(), source="app", external_id="a", type="walk"
        )
    )

    assert before.total > 30
    assert seen == [
        ("who burns", before.total, before.available),
        ("who comes next", before.total - 30, before.available - 30),
    ]
    await world.audited()
