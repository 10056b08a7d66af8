"""What a program took it may give back: an undoable burn, and the fact that restores it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
from pydantic import BaseModel

from loyalty.commands import Command, ReverseRedemption
from loyalty.effects import Burn, Effect, Reinstate, Restore
from loyalty.errors import Code, Refused
from loyalty.facts import MemberClosed, MemberRef
from loyalty.plugin import BurnWant, Plugin, PublishedFact, on
from loyalty.view import View
from loyalty_points.plugin import plugin as points


class Config(BaseModel):
    """Nothing to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken(Command):
    """Take so many points, as often as it says."""

    KIND: ClassVar[str] = "bank.taken/1"
    amount: int
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounced(Command):
    """Give them back; `named` is what the reaction names beforehand."""

    KIND: ClassVar[str] = "bank.bounced/1"
    COMPLETES: ClassVar[bool] = True
    redemption: UUID
    named: bool = True


def take(config: Config, command: Taken, view: View) -> Iterator[Effect]:
    for _ in range(command.times):
        yield Burn(
            unit="points", amount=command.amount, to="bank", undoable=True, label="Taken",
            reversible=Reinstate(allowed=False, grace=timedelta(days=5)),
        )  # fmt: skip


def bounce(config: Config, command: Bounced, view: View) -> Iterator[Effect]:
    yield Restore(redemption_id=command.redemption, label="Given back")


bank = Plugin(
    name="bank",
    config=Config,
    reactions=(
        on(Taken, Config, take, burns=lambda _, __: [BurnWant(unit="points")]),
        on(Bounced, Config, bounce,
           restores=lambda _, command: [command.redemption] if command.named else []),
    ),
    facts=(
        PublishedFact(name=Taken.KIND, fact=Taken),
        PublishedFact(name=Bounced.KIND, fact=Bounced),
    ),
)  # fmt: skip


@pytest.fixture
async def shop(make_world: Callable[..., Any]) -> Any:
    world = await make_world(plugins=(points, bank))
    await world.run_program("bank", {}, kind="bank")
    yield world
    await world.audited()


async def takes(world: Any, member: MemberRef, amount: int, **more: Any) -> UUID:
    command = Taken(member=member, occurred_at=world.clock.now(), amount=amount, **more)
    return UUID((await world.record(command)).answer["redemptionId"])


def bounces(world: Any, member: MemberRef, redemption: UUID, **more: Any) -> Bounced:
    return Bounced(member=member, occurred_at=world.clock.now(), redemption=redemption, **more)


async def test_the_lots_are_as_they_were_and_the_statement_says_why(shop: Any) -> None:
    ada = await shop.member()
    await shop.give(ada, 5, days=10)
    await shop.give(ada, 7)
    before = await shop.rows("select id, remaining, expires_at from loyalty.lot order by id")
    redemption = await takes(shop, ada, 9)
    shop.pass_time(days=3)

    await shop.record(bounces(shop, ada, redemption))

    assert before == await shop.rows(
        "select id, remaining, expires_at from loyalty.lot order by id"
    )
    lines = await shop.rows("select kind, label from loyalty.posting order by fact_id, seq")
    assert [tuple(row) for row in lines[-2:]] == [("BURN", "Taken"), ("REVERSE", "Given back")]


async def test_what_ended_meanwhile_lives_on_for_the_grace(shop: Any) -> None:
    ada = await shop.member()
    await shop.give(ada, 5, days=10)
    redemption = await takes(shop, ada, 5)
    shop.pass_time(days=20)

    await shop.record(bounces(shop, ada, redemption))
    assert (await shop.balance(ada)).available == 5
    shop.pass_time(days=5)

    assert (await shop.balance(ada)).available == 0
    await shop.sweep()


async def test_a_client_cannot_reverse_it(shop: Any) -> None:
    ada = await shop.member()
    await shop.give(ada, 5)
    redemption = await takes(shop, ada, 5)

    refused = await shop.refusal(
        ReverseRedemption(occurred_at=shop.clock.now(), redemption_id=redemption)
    )

    assert refused.code is Code.NOT_REVERSIBLE


async def test_it_completes_for_a_member_who_left_and_is_forfeited(shop: Any) -> None:
    ada = await shop.member()
    await shop.give(ada, 5)
    redemption = await takes(shop, ada, 5)
    await shop.record(MemberClosed(member=ada, occurred_at=shop.clock.now()))

    await shop.record(bounces(shop, ada, redemption))

    assert (await shop.balance(ada)).total == 0
    (row,) = await shop.rows("select state from loyalty.redemption")
    assert row["state"] == "REVERSED"


async def test_of_another_member_there_is_no_such_redemption_to_give_back(shop: Any) -> None:
    ada, bob = await shop.member(), await shop.member()
    await shop.give(ada, 5)
    redemption = await takes(shop, ada, 5)

    refused = await shop.refusal(bounces(shop, bob, redemption))

    assert refused.code is Code.INTERNAL
    assert (await shop.balance(bob)).total == 0


@pytest.mark.parametrize("fault", ["twice", "not named", "two burns"])
async def test_a_plugin_that_mistakes_itself_writes_nothing(shop: Any, fault: str) -> None:
    ada = await shop.member()
    await shop.give(ada, 20)
    redemption = await takes(shop, ada, 5)
    if fault == "twice":
        await shop.record(bounces(shop, ada, redemption))
    before = await shop.digest()

    command: Command
    if fault == "two burns":
        command = Taken(member=ada, occurred_at=shop.clock.now(), amount=2, times=2)
    else:
        command = bounces(shop, ada, redemption, named=fault != "not named")
    (outcome,) = await shop.records(command)

    assert isinstance(outcome, Refused)
    assert outcome.code is Code.INTERNAL
    assert await shop.digest() == before
