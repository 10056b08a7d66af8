"""Members' counters, loaded together or, few as they are, one by one: each member's own, in each
window that a fact asks for."""

from datetime import UTC, datetime
from typing import Any

import pytest

from loyalty.errors import Refused
from loyalty.facts import MemberRef
from loyalty.recorder import wants
from tests.kernel.recorder.capped_program import CAPPED

JANUARY, FEBRUARY = datetime(2026, 1, 20, 12, tzinfo=UTC), datetime(2026, 2, 2, 12, tzinfo=UTC)


@pytest.fixture(params=[0, 1_000], ids=["together", "one by one"])
async def world(
    make_world: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Any:
    """A point per dollar, at most ten a month."""
    monkeypatch.setattr(wants, "FEW", request.param)
    made = await make_world(config=None, plugins=(CAPPED,))
    made.clock.at = JANUARY
    await made.run_program("capped", {"cap": 10}, kind="capped")
    yield made
    await made.audited()


def given(outcomes: list[Any]) -> list[int]:
    return [sum(row["amount"] for row in one.answer.get("earned", ())) for one in outcomes]


async def test_of_several_members_each_over_the_window_of_its_own_fact(world: Any) -> None:
    ada, bob, eve = [await world.member(name) for name in ("ada", "bob", "eve")]
    assert given(await world.records(world.purchase(ada, 700), world.purchase(bob, 400))) == [7, 4]
    world.clock.at = FEBRUARY
    assert given(await world.records(world.purchase(ada, 900))) == [9]

    late, now = {"at": JANUARY}, {"at": FEBRUARY}
    outcomes = await world.records(
        world.purchase(eve, 1200, **late),
        world.purchase(ada, 500, **late),
        world.purchase(ada, 500, **now),
        world.purchase(bob, 500, **now),
        world.purchase(bob, 900, **late),
        world.purchase(bob, 900, **now),
    )
    assert given(outcomes) == [10, 3, 1, 5, 6, 5]


async def test_a_member_who_is_named_in_several_ways_has_one_sum(world: Any) -> None:
    ada = await world.member("ada")
    await world.record(world.purchase(ada, 300))
    by_name = MemberRef(external_id="ada")
    outcomes = await world.records(
        world.purchase(ada, 400), world.purchase(by_name, 500), world.purchase(ada, 600)
    )
    assert given(outcomes) == [4, 3, 0]


async def test_who_is_nobody_has_none_and_takes_nobody_elses(world: Any) -> None:
    ada, nobody = await world.member("ada"), MemberRef(external_id="nobody")
    await world.record(world.purchase(ada, 800))
    first, second = await world.records(world.purchase(nobody, 500), world.purchase(ada, 500))
    assert isinstance(first, Refused)
    assert given([second]) == [2]


async def test_only_nobody_is_asked_for(world: Any) -> None:
    refused = await world.refusal(world.purchase(MemberRef(external_id="nobody"), 500))
    assert refused.field == "member"
