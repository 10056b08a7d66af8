"""The points program, on one screen."""

from collections.abc import Sequence

from loyalty.commands import CaptureRedemption, Redeem
from loyalty.facts import (
    ActivityRecorded,
    Expired,
    PurchaseRecorded,
    PurchaseReversed,
    TraitChanged,
)
from loyalty.plugin import ActivityType, Counter, Plugin, PublishedFact, Trait, on
from loyalty.view import Stage
from loyalty_earning import choices
from loyalty_earning.fruitless import fruitless
from loyalty_earning.rules import lasting, returning
from loyalty_earning.rules.capping import cap
from loyalty_earning.rules.carrying import carry
from loyalty_earning.rules.choosing import choosing
from loyalty_earning.rules.earning import earn
from loyalty_earning.rules.promoting import promote
from loyalty_earning.running_sums import running_sums
from loyalty_earning.unkept import unkept
from loyalty_earning.uses import uses
from loyalty_points import days_due, facts, graphql, personal, reward_uses
from loyalty_points.commands import ActivatePoints, Choose, ChooseDonation
from loyalty_points.config import PointsConfig
from loyalty_points.explaining import explain
from loyalty_points.idle import idle
from loyalty_points.jobs import JOBS
from loyalty_points.rules import activating, announcing, dividend, donating, issuing
from loyalty_points.rules.redeeming import redeem, wanted_lots
from loyalty_points.rules.rewarding import use


def counters(config: PointsConfig) -> Sequence[Counter]:
    return [
        *uses(config), *running_sums(config.rules, config.currencies), *issuing.counters(config),
        *choices.counters(config.choices),
    ]  # fmt: skip


def traits(config: PointsConfig) -> frozenset[str]:
    return config.traits


def promotes(config: PointsConfig) -> bool:
    return any(rule.is_promotion for rule in config.rules)


def caps(config: PointsConfig) -> bool:
    return bool(config.caps_on)


def rewards_activities(config: PointsConfig) -> bool:
    return any(rule.activities for rule in config.rules)


def reward_traits(config: PointsConfig) -> frozenset[str]:
    return config.reward_traits


def has_rewards(config: PointsConfig) -> bool:
    return bool(config.rewards)


def activities(config: PointsConfig) -> Sequence[ActivityType]:
    return [activity.declared for activity in config.activities]


plugin = Plugin(
    name="points",
    description="Points for purchases and activities, spent as the tenant likes.",
    config=PointsConfig,
    reactions=(
        on(PurchaseRecorded, PointsConfig, earn, traits=traits),
        on(PurchaseRecorded, PointsConfig, promote, stage=Stage.BONUS, traits=traits,
           when=promotes),
        on(PurchaseRecorded, PointsConfig, cap, stage=Stage.CAP, when=caps),
        on(ActivityRecorded, PointsConfig, earn, traits=traits, when=rewards_activities),
        on(ActivityRecorded, PointsConfig, promote, stage=Stage.BONUS, traits=traits,
           when=promotes),
        on(ActivityRecorded, PointsConfig, cap, stage=Stage.CAP, when=caps),
        on(PurchaseReversed, PointsConfig, returning.settle_up, traits=traits,
           burns=returning.recalled_from, looks_back=returning.rules_asked_for),
        on(facts.CarriedOver, PointsConfig, carry, traits=traits, when=caps),
        on(facts.CarriedOver, PointsConfig, cap, stage=Stage.CAP, when=caps),
        on(Redeem, PointsConfig, redeem, burns=wanted_lots, traits=reward_traits,
           needs=(reward_uses.NEED,)),
        on(CaptureRedemption, PointsConfig, use, needs=(reward_uses.NEED,), when=has_rewards),
        on(Choose, PointsConfig, choosing(facts.ChoiceChanged), traits=(f".{choices.TRAIT}",),
           emits=(facts.ChoiceChanged,)),
        on(PurchaseRecorded, PointsConfig, lasting.last, stage=Stage.AFTER, traits=traits,
           burns=lasting.all_lots, when=lasting.by_purchases),
        on(ActivityRecorded, PointsConfig, lasting.last, stage=Stage.AFTER, traits=traits,
           burns=lasting.all_lots, when=lasting.by_activities),
        on(Redeem, PointsConfig, lasting.last, stage=Stage.AFTER, traits=traits,
           burns=lasting.all_lots, when=lasting.by_redemptions),
        on(TraitChanged, PointsConfig, lasting.last, stage=Stage.AFTER, traits=traits,
           burns=lasting.all_lots, when=lasting.by_standing),
        on(ActivatePoints, PointsConfig, activating.activate, traits=traits,
           burns=activating.waiting_lots, emits=(facts.PointsActivated,)),
        on(facts.ConversionDue, PointsConfig, issuing.convert, burns=issuing.points_of),
        on(facts.DividendDue, PointsConfig, dividend.pay, burns=dividend.base_of),
        on(facts.ExpiryNear, PointsConfig, announcing.announce, burns=announcing.lots_of,
           emits=(facts.ExpiryAnnounced,)),
        on(ChooseDonation, PointsConfig, donating.choose),
        on(Expired, PointsConfig, donating.donate, traits=(f".{donating.DONATES}",),
           emits=(facts.PointsDonated,), when=donating.may_be_donated),
    ),
    facts=(
        PublishedFact(name=facts.CarriedOver.KIND, fact=facts.CarriedOver),
        PublishedFact(name=facts.BudgetReached.KIND, fact=facts.BudgetReached),
        PublishedFact(name=facts.ExpiryAnnounced.KIND, fact=facts.ExpiryAnnounced),
        PublishedFact(name=facts.PointsActivated.KIND, fact=facts.PointsActivated),
        PublishedFact(name=facts.PointsDonated.KIND, fact=facts.PointsDonated),
        PublishedFact(name=facts.WindowClosed.KIND, fact=facts.WindowClosed),
        PublishedFact(name=facts.DividendDeclared.KIND, fact=facts.DividendDeclared),
        PublishedFact(name=facts.DividendIssued.KIND, fact=facts.DividendIssued),
        PublishedFact(name=Choose.KIND, fact=Choose),
        PublishedFact(name=facts.ChoiceChanged.KIND, fact=facts.ChoiceChanged),
        PublishedFact(name=ChooseDonation.KIND, fact=ChooseDonation),
        PublishedFact(name=ActivatePoints.KIND, fact=ActivatePoints, told=False),
        PublishedFact(name=facts.ExpiryNear.KIND, fact=facts.ExpiryNear, told=False),
        PublishedFact(name=facts.DayAnnounced.KIND, fact=facts.DayAnnounced, told=False),
        PublishedFact(name=facts.ConversionDue.KIND, fact=facts.ConversionDue, told=False),
        PublishedFact(name=facts.DividendDue.KIND, fact=facts.DividendDue, told=False),
    ),
    traits=(
        Trait(name=choices.TRAIT, type=dict, description="What the member picked, by choice."),
        Trait(name=donating.DONATES, type=bool, description="What ends is donated, by choice."),
    ),
    counters=counters,
    needs=reward_uses.LOADERS,
    writers=reward_uses.WRITERS,
    explain=explain,
    activities=activities,
    idle=idle,
    fruitless=fruitless,
    unkept=unkept,
    jobs=(*JOBS, *days_due.JOBS),
    personal=personal.ROWS,
    templates="loyalty_points.templates",
    graphql=graphql.part,
)  # fmt: skip
