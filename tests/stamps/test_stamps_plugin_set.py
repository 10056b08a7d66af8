"""Plugins that do not fit together are refused at start-up; those that do may be apart."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from loyalty.facts import ActivityRecorded, Fact, Granted, LotsDue, PurchaseRecorded
from loyalty.plugin import (
    ConsumedFact,
    Loader,
    Plugin,
    PublishedFact,
    Reaction,
    Trait,
    Writer,
)
from loyalty.plugin_set import PluginSet
from loyalty.view import Stage
from loyalty_stamps.config import StampsConfig
from loyalty_stamps.facts import CardFilled, StampGiven
from loyalty_stamps.plugin import plugin as stamps
from loyalty_stamps.rows import CardRow


def _nothing(config: object, fact: object, view: object) -> tuple[()]:
    return ()


async def _never(*args: Any) -> Any:
    raise AssertionError("nothing is loaded at start-up")


def _on(fact: type[Fact], **more: Any) -> Reaction:
    return Reaction(fact=fact, decide=_nothing, **more)


def _plugin(name: str, **slots: Any) -> Plugin:
    return Plugin(name=name, config=StampsConfig, **slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpublished(Fact):
    KIND: ClassVar[str] = "other.unpublished/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongType(Fact):
    cards: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongField(Fact):
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits(Fact):
    cards: int


def _consuming(fact: type[Fact]) -> Plugin:
    return _plugin("other", consumes=(ConsumedFact(name=CardFilled.KIND, fact=fact),))


LOADER = Loader(name="card", load=_never)
WRITER = Writer(row=CardRow, write=_never)
TRAIT = Trait(name="level", type=int, description="A level.")
JOB = stamps.jobs[0]
FILLED = PublishedFact(name=CardFilled.KIND, fact=CardFilled)

MISFITS: dict[str, tuple[Callable[[], list[Plugin]], str]] = {
    "two of one name": (lambda: [stamps, stamps], "same name"),
    "emits what nobody publishes": (
        lambda: [_plugin("other", reactions=(_on(PurchaseRecorded, emits=(Unpublished,)),))],
        "other emits Unpublished, which nobody publishes",
    ),
    "publishes under a foreign name": (
        lambda: [_plugin("other", facts=(FILLED,))],
        "other may not publish stamps.card_filled/1",
    ),
    "a name that is not the fact's": (
        lambda: [_plugin("stamps", facts=(replace(FILLED, name="stamps.card_filled/2"),))],
        "KIND of CardFilled must be 'stamps.card_filled/2'",
    ),
    "reads a field of another type": (
        lambda: [stamps, _consuming(WrongType)],
        "other reads cards of stamps.card_filled/1",
    ),
    "reads a field that is not there": (
        lambda: [stamps, _consuming(WrongField)],
        "other reads colour of stamps.card_filled/1",
    ),
    "needs what it does not load": (
        lambda: [_plugin("other", reactions=(_on(PurchaseRecorded, needs=("card",)),))],
        r"other needs \['card'\]",
    ),
    "a circle of after": (
        lambda: [
            _plugin("a", reactions=(_on(PurchaseRecorded, after=("b",)),)),
            _plugin("b", reactions=(_on(PurchaseRecorded, after=("c",)),)),
            _plugin("c", reactions=(_on(ActivityRecorded, after=("a",)),)),
        ],
        r"circle of `after` among \['a', 'b', 'c'\]",
    ),
    "reacts to what it could never be shown": (
        lambda: [stamps, _plugin("other", reactions=(_on(CardFilled),))],
        "other reacts to CardFilled, which it neither publishes nor consumes",
    ),
    "two loaders of one name": (lambda: [_plugin("other", needs=(LOADER, LOADER))], "two loaders"),
    "two traits of one name": (lambda: [_plugin("other", traits=(TRAIT, TRAIT))], "two traits"),
    "two jobs of one name": (lambda: [_plugin("other", jobs=(JOB, JOB))], "two jobs"),
    "two writers of one row": (
        lambda: [stamps, _plugin("other", writers=(WRITER,))],
        "two writers write",
    ),
}


@pytest.mark.parametrize(("plugins", "why"), MISFITS.values(), ids=MISFITS)
def test_a_set_that_does_not_fit_is_refused(plugins: Callable[[], list[Plugin]], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        PluginSet(plugins())


def test_a_consumer_whose_producer_is_not_installed_is_fine() -> None:
    lonely = replace(_consuming(WrongField), reactions=(_on(WrongField),))

    plugins = PluginSet([lonely])

    assert list(plugins.published) == []


def test_a_circle_in_different_stages_is_none() -> None:
    PluginSet(
        [
            _plugin("a", reactions=(_on(PurchaseRecorded, stage=Stage.BASE, after=("b",)),)),
            _plugin("b", reactions=(_on(PurchaseRecorded, stage=Stage.BONUS, after=("a",)),)),
        ]
    )


def test_a_consumer_sees_just_the_fields_it_reads() -> None:
    plugins = PluginSet([stamps, replace(_consuming(Fits), reactions=(_on(Fits),))])
    filled = CardFilled(occurred_at=datetime(2026, 1, 1, tzinfo=UTC), program="card", cards=2)

    seen = list(plugins.seen_as(filled))

    assert seen[0] is filled
    assert Fits(occurred_at=filled.occurred_at, cards=2) in seen


def test_what_a_fact_may_set_off_is_known_before_it_happens() -> None:
    on_grant = _plugin("watcher", reactions=(_on(Granted),))
    plugins = PluginSet([stamps, replace(_consuming(Fits), reactions=(_on(Fits),)), on_grant])

    assert {PurchaseRecorded, CardFilled, StampGiven, Fits, Granted} <= set(
        plugins.closure(PurchaseRecorded)
    )
    assert {CardFilled, Fits, Granted} <= set(plugins.closure(CardFilled))
    assert CardFilled not in plugins.closure(LotsDue)
    assert Granted not in PluginSet([stamps]).closure(PurchaseRecorded)
