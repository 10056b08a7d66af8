"""Ladders in back-tests: as they were recorded, and what another one would have given."""

from typing import Any

from loyalty_points.plugin import plugin as points
from loyalty_tiers.plugin import plugin as tiers
from tests.kernel.conftest import POINTS_CONFIG

from .conftest import Bench, recorded

BONUS = {
    "id": "gold-50", "label": "Gold", "accounting_class": "MARKETING", "unit": "points",
    "bonus": {"factor": "1.5"},
}  # fmt: skip


def ladder(least: str) -> dict[str, Any]:
    gold = {"id": "gold", "label": "Gold", "qualify": [{"needs": {"spend": least}}]}
    return {
        "metrics": [{"id": "spend", "label": "Spend", "count": "spend", "currency": "USD"}],
        "tiers": [{"id": "basic", "label": "Basic"}, {**gold, "bonuses": [BONUS]}],
        "validity": {"lasts": "periods", "periods": 0},
        "on_return": "revoke",
    }


async def test_a_ladder_gives_what_it_gave_and_a_draft_what_it_would(
    make_world: Any, bench: Bench
) -> None:
    world = await make_world(POINTS_CONFIG, plugins=(points, tiers))
    await world.run_program("status", ladder("100"), kind="tiers")
    ann = await world.member()
    made = []
    for _ in range(4):
        world.pass_time(days=30)
        made.append(world.purchase(ann, "60.00"))
        await world.record(made[-1])
    await world.record(world.back(made[1]))
    world.pass_time(days=1)
    await world.record(world.purchase(ann, "60.00"))
    world.pass_time(days=300)
    await world.record(world.purchase(ann, "60.00"))  # the year is over

    _, heard = await bench.walk(world, slug="status", kind="tiers")
    assert (heard.granted, heard.taken) == await recorded(world)
    gold = (ann.id, "status", "gold-50", "points")
    assert heard.granted[gold] == 3 * 30
    _, heard = await bench.walk(world, draft=ladder("60"), slug="status", kind="tiers")
    assert heard.granted[gold] == 4 * 30
    assert heard.taken[gold] == 30
    _, heard = await bench.walk(world, draft=ladder("1000"), slug="status", kind="tiers")
    assert gold not in heard.granted
    await world.audited()
