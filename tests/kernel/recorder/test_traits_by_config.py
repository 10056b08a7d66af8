"""A reaction may say by its config which traits it reads: no more are loaded, and none in vain."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from loyalty.conditions import PURCHASE, Condition, compiled, purchase_values
from loyalty.effects import Effect, Grant, SetTrait
from loyalty.facts import ActivityRecorded, MemberRef, PurchaseRecorded
from loyalty.plugin import Plugin, Trait, on
from loyalty.recorder.wants import gather
from loyalty.setup import Program, Setup
from loyalty.traits import full_names
from loyalty.view import View


class Standing(BaseModel):
    """Sets traits, as a tiers plugin does."""


class Offer(BaseModel):
    """A point where the condition holds."""

    condition: str | None

    def compiled(self) -> Condition | None:
        if self.condition is None:
            return None
        return compiled(self.condition, PURCHASE, currency="USD")


def _set(config: Standing, fact: ActivityRecorded, view: View) -> Iterator[Effect]:
    for name in fact.attributes.keys() & {"tier", "score"}:
        yield SetTrait(name=name, value=fact.attributes[name])


def _offer(config: Offer, fact: PurchaseRecorded, view: View) -> Iterator[Effect]:
    condition = config.compiled()
    if condition is not None and condition.judged(purchase_values(fact, view)).holds:
        yield Grant(unit="points", wanted=1, granted=1, rule="offer")


def _choose(config: Offer, fact: ActivityRecorded, view: View) -> Iterator[Effect]:
    yield SetTrait(name="choices", value=dict(fact.attributes))


def _traits(config: Offer) -> frozenset[str]:
    condition = config.compiled()
    return frozenset() if condition is None else condition.traits


STANDING = Plugin(
    name="standing",
    config=Standing,
    reactions=(on(ActivityRecorded, Standing, _set),),
    traits=(
        Trait(name="tier", type=str, description="The tier."),
        Trait(name="score", type=int, description="The score."),
    ),
)
OFFER = Plugin(
    name="offer",
    config=Offer,
    reactions=(on(PurchaseRecorded, Offer, _offer, traits=_traits),),
)
CHOOSING = Plugin(
    name="choosing",
    config=Offer,
    reactions=(
        on(PurchaseRecorded, Offer, _offer, traits=_traits),
        on(ActivityRecorded, Offer, _choose),
    ),
    traits=(Trait(name="choices", type=dict, description="What was chosen."),),
)


async def a_world(make_world: Any, condition: str | None, offer: str = "offer") -> Any:
    world = await make_world(config=None, plugins=(STANDING, OFFER, CHOOSING))
    await world.run_program("vip", {}, kind="standing")
    await world.run_program("offer", {"condition": condition}, kind=offer)
    return world


def says(world: Any, member: MemberRef, **attributes: Any) -> ActivityRecorded:
    return ActivityRecorded(
        member=member, occurred_at=world.clock.now(), source="app", type="standing",
        external_id=f"a{next(world.keys)}", attributes=attributes,
    )  # fmt: skip


async def earned_and_kept(world: Any, member: MemberRef) -> tuple[int, Any]:
    recorded = await world.record(world.purchase(member, "10.00"))
    (row,) = await world.rows(
        "select body from loyalty.decision where fact_id = $1", recorded.fact_id
    ) or [{"body": {}}]
    earned = sum(int(one["amount"]) for one in recorded.answer.get("earned", ()))
    return earned, (row["body"] or {}).get("read", {}).get("offer", {}).get("traits")


async def test_a_condition_reads_the_tier_of_another_program(make_world: Any) -> None:
    world = await a_world(make_world, 'member.tier == "gold"')
    member = await world.member()

    before = await earned_and_kept(world, member)
    world.pass_time(hours=1)
    await world.record(says(world, member, tier="gold", score=3))
    world.pass_time(hours=1)
    after = await earned_and_kept(world, member)

    assert before == (0, {"offer.tier": None, "vip.tier": None})
    since = "2026-01-01T13:00:00Z"
    assert after == (1, {"vip.tier": ["gold", since, None]})  # the first that gives one is enough


async def test_all_traits_that_the_tenants_programs_declare(make_world: Any) -> None:
    world = await a_world(make_world, 'member.traits.exists(name, name == "vip.score")')
    member = await world.member()
    await world.record(says(world, member, tier="gold", score=3))

    earned, kept = await earned_and_kept(world, member)

    assert earned == 1
    assert set(kept) == {"vip.tier", "vip.score"}


async def test_of_named_traits_only_these_are_kept(make_world: Any) -> None:
    world = await a_world(make_world, '"vip.score" in member.traits')
    member = await world.member()
    await world.record(says(world, member, tier="gold", score=3))

    earned, kept = await earned_and_kept(world, member)

    assert (earned, set(kept)) == (1, {"vip.score"})


async def test_a_programs_own_trait(make_world: Any) -> None:
    world = await a_world(make_world, 'choice.track == "miles"', offer="choosing")
    await world.run_program("other", {"condition": 'choice.track == "miles"'}, kind="offer")
    member = await world.member()
    await world.record(says(world, member, track="miles"))

    earned, kept = await earned_and_kept(world, member)

    assert (earned, set(kept)) == (1, {"offer.choices"})  # the other program's member chose nothing


async def test_no_trait_is_asked_for_where_no_config_reads_one(make_world: Any) -> None:
    world = await a_world(make_world, "purchase.total > 0")
    member = await world.member()

    setup = await world.recorder.setups.get(world.tenant_id)
    wants = gather([world.request(world.purchase(member, "10.00"))], setup, world.plugins)

    assert list(wants.traits) == []
    assert await earned_and_kept(world, member) == (1, None)


def test_full_names() -> None:
    setup = Setup(
        tenant_id=UUID(int=1), slug="shop", name="Shop", zone=ZoneInfo("UTC"), epoch=1,
        programs=(_program("vip", "standing"), _program("mine", "offer"), _program("old", "gone")),
    )  # fmt: skip
    plugins = {plugin.name: plugin for plugin in (STANDING, OFFER)}

    def names(*asked: str) -> tuple[str, ...]:
        return full_names(asked, "mine", setup, plugins)

    assert names("vip.tier", ".choices") == ("vip.tier", "mine.choices")
    assert names("*.tier") == ("vip.tier", "mine.tier", "old.tier")
    assert names("vip.tier", "*.*", "vip.tier") == ("vip.tier", "vip.score")
    assert names() == ()


def _program(slug: str, kind: str) -> Program:
    return Program(id=UUID(int=4), slug=slug, kind=kind, name=slug, position=0, versions=())
