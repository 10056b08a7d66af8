"""A program hears what became of its own lots, and so says where they go; not of its own grants."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from loyalty.effects import Effect, Grant, Post
from loyalty.facts import Expired, Granted, PurchaseRecorded, TakenBack
from loyalty.plugin import Plugin, on
from loyalty.view import View


class Config(BaseModel):
    charity: bool = True


def _earn(config: Config, fact: PurchaseRecorded, view: View) -> Iterator[Effect]:
    amount, ends = fact.total // 100, fact.occurred_at + timedelta(days=10)
    yield Grant(unit="points", wanted=amount, granted=amount, rule="base", expires_at=ends)


def _donate(config: Config, fact: Expired, view: View) -> Iterator[Effect]:
    if fact.program == view.program and config.charity:
        yield _post(fact.unit, "breakage", "charity", fact.amount)


def _note(config: Config, fact: TakenBack, view: View) -> Iterator[Effect]:
    if fact.program == view.program:
        yield _post(fact.unit, "returned", "noted", fact.amount)


def _echo(config: Config, fact: Granted, view: View) -> Iterator[Effect]:
    yield Grant(unit=fact.unit, wanted=1, granted=1, rule="echo")


def _post(unit: str, source: str, target: str, amount: int) -> Post:
    return Post(unit=unit, source=source, target=target, amount=amount)


GIVING = Plugin(
    name="giving",
    config=Config,
    reactions=(
        on(PurchaseRecorded, Config, _earn),
        on(Expired, Config, _donate),
        on(TakenBack, Config, _note),
        on(Granted, Config, _echo),
    ),
)


@pytest.fixture
async def giving(make_world: Any) -> Any:
    world = await make_world(config=None, plugins=(GIVING,))
    await world.run_program("donors", {}, kind="giving")
    yield world
    await world.audited()


async def _moved(world: Any) -> list[tuple[str, str, int]]:
    rows = await world.rows(
        "select f.kind as source, t.kind as target, p.amount from loyalty.posting p"
        " join loyalty.account f on f.id = p.from_id join loyalty.account t on t.id = p.to_id"
        " where not f.stored and not t.stored order by p.amount"
    )
    return [tuple(row) for row in rows]


async def test_a_program_sends_what_expired_of_its_lots_on(giving: Any) -> None:
    member = await giving.member()
    await giving.record(giving.purchase(member, 700))
    giving.pass_time(days=11)

    await giving.sweep()

    assert await _moved(giving) == [("breakage", "charity", 7)]
    assert (await giving.balance(member)).total == 0


async def test_another_program_leaves_them_alone(giving: Any) -> None:
    await giving.run_program("keepers", {"charity": False}, kind="giving")
    member = await giving.member()
    await giving.record(giving.purchase(member, 700))
    giving.pass_time(days=11)

    await giving.sweep()

    # Both granted 7. The echoes of each other's grants have no term.
    assert await _moved(giving) == [("breakage", "charity", 7)]
    assert (await giving.balance(member)).total == 2


async def test_a_program_hears_what_was_taken_back(giving: Any) -> None:
    member = await giving.member()
    purchase = giving.purchase(member, 700)
    await giving.record(purchase)

    await giving.record(giving.back(purchase))

    assert await _moved(giving) == [("returned", "noted", 7)]


async def test_a_program_does_not_hear_of_its_own_grants(giving: Any) -> None:
    member = await giving.member()

    recorded = await giving.record(giving.purchase(member, 700))

    assert [one["amount"] for one in recorded.answer["earned"]] == [7]
