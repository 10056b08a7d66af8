"""A punch card, on one screen. It exists only in the tests, to use every slot from outside."""

from datetime import timedelta

from loyalty.facts import ActivityRecorded, FactReversed, PurchaseRecorded, PurchaseReversed
from loyalty.plugin import (
    ConsumedFact,
    Inbound,
    Job,
    Loader,
    Plugin,
    PublishedFact,
    Trait,
    Writer,
    on,
)
from loyalty.view import Stage
from loyalty_stamps import graphql, inbound, personal, rules, tables
from loyalty_stamps.config import StampsConfig
from loyalty_stamps.counting import counters
from loyalty_stamps.facts import CardExpired, CardFilled, FilledCard, StampGiven
from loyalty_stamps.jobs import cards_due
from loyalty_stamps.rows import BuddyRow, CardRow, GivenRow

FILLED = ("*.cards_filled",)
CARD, GIVEN = ("card",), ("card", "given")
Config = StampsConfig

plugin = Plugin(
    name="stamps",
    description="Stamps for purchases, a reward for a full card.",
    config=StampsConfig,
    reactions=(
        on(PurchaseRecorded, Config, rules.stamp_purchase, needs=("card", "buddy"),
           emits=(CardFilled, StampGiven)),
        on(PurchaseRecorded, Config, rules.add_extra, stage=Stage.BONUS, after=("points",)),
        on(ActivityRecorded, Config, rules.stamp_activity, needs=CARD, emits=(CardFilled,)),
        on(StampGiven, Config, rules.stamp_given, needs=CARD, emits=(CardFilled,)),
        on(CardFilled, Config, rules.reward, traits=FILLED),
        on(FilledCard, Config, rules.welcome, stage=Stage.BONUS, traits=FILLED),
        on(CardFilled, Config, rules.keep_to_budget, stage=Stage.CAP),
        on(CardExpired, Config, rules.expire, needs=CARD),
        on(PurchaseReversed, Config, rules.undo_purchase, needs=GIVEN),
        on(FactReversed, Config, rules.undo_follow_on, needs=GIVEN),
    ),
    facts=(
        PublishedFact(name=StampGiven.KIND, fact=StampGiven),
        PublishedFact(name=CardFilled.KIND, fact=CardFilled),
        PublishedFact(name=CardExpired.KIND, fact=CardExpired),
    ),
    consumes=(ConsumedFact(name=CardFilled.KIND, fact=FilledCard),),
    traits=(Trait(name="cards_filled", type=int, description="How many cards were filled."),),
    counters=counters,
    needs=(
        Loader(name="card", load=tables.load_cards),
        Loader(name="given", load=tables.load_given),
        Loader(name="buddy", load=tables.load_buddies),
    ),
    writers=(
        Writer(row=CardRow, write=tables.write_cards),
        Writer(row=GivenRow, write=tables.write_given),
        Writer(row=BuddyRow, write=tables.write_buddies),
    ),
    jobs=(Job(name="expire-cards", every=timedelta(hours=1), due=cards_due),),
    inbound=Inbound(verify=inbound.signed, facts=inbound.visits),
    secrets=("webhook_secret",),
    personal=personal.ROWS,
    graphql=graphql.part,
    models="loyalty_stamps.models",
)  # fmt: skip
