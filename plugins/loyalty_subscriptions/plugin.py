"""The program of paid subscriptions, on one screen."""

from collections.abc import Sequence

from loyalty.facts import (
    ActivityRecorded,
    FactReversed,
    MemberClosed,
    PurchaseRecorded,
    PurchaseReversed,
)
from loyalty.plugin import ActivityType, Counter, Plugin, PublishedFact, Trait, on
from loyalty.view import Stage
from loyalty_earning.fruitless import fruitless
from loyalty_earning.idle import idle
from loyalty_earning.rules import returning
from loyalty_earning.running_sums import running_sums
from loyalty_earning.uses import uses
from loyalty_subscriptions import graphql, personal, standing, tables
from loyalty_subscriptions.commands import (
    Cancel,
    ChangePlan,
    Comp,
    GiveBack,
    Pause,
    Resume,
    Subscribe,
)
from loyalty_subscriptions.config import SubscriptionsConfig
from loyalty_subscriptions.facts import (
    BudgetReached,
    ChangeReported,
    PaymentReported,
    SubscriptionDue,
)
from loyalty_subscriptions.inbound import inbound
from loyalty_subscriptions.jobs import JOBS
from loyalty_subscriptions.rules import (
    boosting,
    changing,
    falling_due,
    leaving,
    paying,
    subscribing,
)
from loyalty_subscriptions.rules.becoming import EMITS
from loyalty_subscriptions.stripe.signature import SECRETS

Config = SubscriptionsConfig
MINE = (tables.SUBSCRIPTIONS,)
FEES = (tables.SUBSCRIPTIONS, tables.PAYMENTS)
PAID = (tables.SUBSCRIPTIONS, tables.INVOICE)
UNDOES = (*EMITS, FactReversed)


def counters(config: SubscriptionsConfig) -> Sequence[Counter]:
    return [*uses(config), *running_sums(config.rules, config.currencies)]


def traits(config: SubscriptionsConfig) -> frozenset[str]:
    return config.traits | {f".{standing.PLAN}"}


def has_boosts(config: SubscriptionsConfig) -> bool:
    return bool(config.rules)


def has_caps(config: SubscriptionsConfig) -> bool:
    return bool(config.caps_on)


def activities(config: SubscriptionsConfig) -> Sequence[ActivityType]:
    return [activity.declared for activity in config.activities]


plugin = Plugin(
    name="subscriptions",
    description="Paid memberships: plans, fees, and what comes with them.",
    config=SubscriptionsConfig,
    reactions=(
        on(PurchaseRecorded, Config, boosting.earn, traits=traits, when=has_boosts),
        on(PurchaseRecorded, Config, boosting.promote, stage=Stage.BONUS, traits=traits,
           when=has_boosts),
        on(PurchaseRecorded, Config, boosting.cap, stage=Stage.CAP, when=has_caps),
        on(PurchaseReversed, Config, returning.settle_up, traits=traits,
           burns=returning.recalled_from, looks_back=returning.rules_asked_for),
        on(ActivityRecorded, Config, boosting.earn, traits=traits, when=has_boosts),
        on(ActivityRecorded, Config, boosting.promote, stage=Stage.BONUS, traits=traits,
           when=has_boosts),
        on(ActivityRecorded, Config, boosting.cap, stage=Stage.CAP, when=has_caps),
        on(PaymentReported, Config, paying.hear_payment, needs=PAID, traits=traits, emits=UNDOES),
        on(ChangeReported, Config, paying.hear_change, needs=MINE, emits=EMITS),
        on(SubscriptionDue, Config, falling_due.fall_due, needs=MINE, traits=traits,
           burns=falling_due.fees, emits=EMITS),
        on(MemberClosed, Config, falling_due.close, needs=MINE, emits=EMITS),
        on(Subscribe, Config, subscribing.subscribe, needs=MINE, traits=traits,
           burns=falling_due.fees, emits=EMITS),
        on(ChangePlan, Config, changing.change, needs=MINE, traits=traits,
           burns=falling_due.fees, emits=EMITS),
        on(Comp, Config, changing.comp, needs=MINE, emits=EMITS),
        on(Cancel, Config, leaving.cancel, needs=FEES, emits=UNDOES),
        on(Pause, Config, leaving.pause, needs=MINE, emits=EMITS),
        on(Resume, Config, leaving.resume, needs=MINE, emits=EMITS),
        on(GiveBack, Config, leaving.give_back_by_staff, needs=FEES, emits=UNDOES),
    ),
    facts=(
        *(PublishedFact(name=fact.KIND, fact=fact) for fact in EMITS),
        PublishedFact(name=BudgetReached.KIND, fact=BudgetReached),
        *(
            PublishedFact(name=fact.KIND, fact=fact, told=False)
            for fact in (
                PaymentReported, ChangeReported, SubscriptionDue, Subscribe, Cancel, Pause, Resume,
                ChangePlan, Comp, GiveBack,
            )
        ),
    ),
    traits=(
        Trait(name=standing.ACTIVE, type=bool, description="Whether the member has a plan now."),
        Trait(name=standing.PLAN, type=str, description="The plan whose benefits they have."),
        Trait(name=standing.PERKS, type=list, description="Ids of the perks that they have."),
        Trait(name=standing.STATUS, type=str, description="Where the subscription stands."),
    ),
    counters=counters,
    explain=boosting.explain,
    activities=activities,
    idle=idle,
    fruitless=fruitless,
    needs=tables.LOADERS,
    writers=tables.WRITERS,
    jobs=JOBS,
    inbound=inbound,
    secrets=SECRETS,
    personal=personal.ROWS,
    templates="loyalty_subscriptions.templates",
    graphql=graphql.part,
)  # fmt: skip
